FROM python:3.11-slim AS build
# Where pip finds packages, if not at PyPI: docker build --build-arg PIP_INDEX_URL=...
ARG PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_FIND_LINKS PIP_CERT PIP_TRUSTED_HOST PIP_DEFAULT_TIMEOUT
WORKDIR /build
COPY requirements.lock .
# Checked against the lock here, so that the next step may take from these wheels what it needs and no more.
RUN pip wheel --quiet --require-hashes --requirement requirements.lock --wheel-dir /wheels
RUN python -m venv /opt/perdiem \
 && /opt/perdiem/bin/pip install --quiet --upgrade --no-index --find-links /wheels setuptools
COPY . .
RUN /opt/perdiem/bin/pip install --quiet --no-index --find-links /wheels --no-build-isolation .

FROM python:3.11-slim
RUN useradd --system --create-home --home-dir /var/lib/perdiem --shell /usr/sbin/nologin perdiem
COPY --from=build /opt/perdiem /opt/perdiem
COPY examples /usr/share/perdiem
ENV PATH=/opt/perdiem/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PERDIEM_DATA_DIR=/var/lib/perdiem
USER perdiem
WORKDIR /var/lib/perdiem
VOLUME /var/lib/perdiem
EXPOSE 6066
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "-c", "\
import os, urllib.request as web; \
host, port = os.getenv('PERDIEM_WEB_HOST', '127.0.0.1'), os.getenv('PERDIEM_WEB_PORT', '6066'); \
web.urlopen(f'http://{host}:{port}/healthz', timeout=4)"]
ENTRYPOINT ["perdiem"]
CMD ["worker"]
