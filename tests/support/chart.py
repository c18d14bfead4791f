"""A Helm chart: a Service, settings, a Deployment, and a Pod that tests the release."""

from __future__ import annotations

from pathlib import Path

_CHART = """apiVersion: v2
name: web
version: 1.0.0
"""
_VALUES = "greeting: hello\nreplicas: 0\n"
_TEMPLATES = """apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-settings
data:
  greeting: {{ .Values.greeting | quote }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  selector: {app: {{ .Release.Name }}}
  ports: [{port: 80, targetPort: 8080}]
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: web
          image: host
          command: [python3, -m, http.server, "8080"]
          readinessProbe: {periodSeconds: 1, tcpSocket: {port: 8080}}
"""
_TEST = """apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-test
  annotations: {helm.sh/hook: test}
spec:
  restartPolicy: Never
  containers:
    - name: test
      image: host
      command: [curl, -sf, "http://{{ .Release.Name }}"]
"""


def write_chart(folder: Path) -> Path:
    """Write the chart into a folder of its own; returns that."""
    chart = folder / "web"
    (chart / "templates" / "tests").mkdir(parents=True)
    (chart / "Chart.yaml").write_text(_CHART)
    (chart / "values.yaml").write_text(_VALUES)
    (chart / "templates" / "all.yaml").write_text(_TEMPLATES)
    (chart / "templates" / "tests" / "test.yaml").write_text(_TEST)
    return chart
