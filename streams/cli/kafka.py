"""``perdiem kafka``: Apache Kafka on this machine."""

import signal
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from streams.cli import app


@app.command()
def kafka(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where clients connect, on loopback.")] = 9092,
    data: Annotated[Path, typer.Option(help="Folder of its data and log: all that was sent to it.")] = Path(
        "var/kafka"
    ),
) -> None:
    """Run Apache Kafka on this machine, without Docker, until Ctrl-C."""
    from streams.local_kafka import VERSION, LocalKafka, LocalKafkaError

    def stop(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    broker = LocalKafka(data, port)
    try:
        with broker:
            print(
                f"Apache Kafka {VERSION} on {broker.brokers}, log in {broker.log}. Ctrl-C stops it.",
                flush=True,
            )
            code = broker.wait()
    except KeyboardInterrupt:
        return
    raise LocalKafkaError(f"Kafka ended by itself (exit {code}): see {broker.log}")
