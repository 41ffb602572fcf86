"""``perdiem kafka``: Apache Kafka on this machine."""

import signal
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from streams.cli import app


@app.command()
def kafka(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where clients connect, on loopback.")] = 9092,
    data: Annotated[
        Path | None, typer.Option(help="Folder of its data and log.  [default: kafka in PERDIEM_DATA_DIR]")
    ] = None,
) -> None:
    """Run Apache Kafka on this machine, without Docker, until Ctrl-C."""
    from streams.local_kafka import VERSION, LocalKafka, LocalKafkaError
    from streams.settings import Settings

    def stop(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    broker = LocalKafka(data or Settings.load().data_dir / "kafka", port)
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
