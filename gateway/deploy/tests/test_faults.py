"""Breaks copies of the manifests, one fault at a time: the check has to find each, and say what it is."""

import os
import shutil
import tempfile
import unittest
from contextlib import contextmanager
from pathlib import Path

from checker import image, pages
from checker.rules import check

DEPLOY = Path(__file__).parent.parent
ROOT = DEPLOY.parent.parent

FRONT = "bases/front/deployment.yaml"
SIDECAR = "components/sidecar/sidecar.yaml"
SERVER = "bases/infinispan/statefulset.yaml"

# Fault: overlay, file, what stands there, what stands there instead, what the check says of it.
FAULTS = {
    # schema
    "a field that a kind of Kubernetes has not": (
        "front-route", FRONT, "replicas: 2", "replica: 2", "'replica' was unexpected"),
    "a field that a Route has not": (
        "front-route", "overlays/front-route/route.yaml", "termination:", "terminations:", "'terminations' was unexpected"),
    "an annotation that the router does not know": (
        "sidecar-route-edge", "overlays/sidecar-route-edge/route.yaml", "timeout-tunnel", "tunnel-timeout",
        "'haproxy.router.openshift.io/tunnel-timeout' was unexpected"),
    "a way to balance that the router has not": (
        "load-balancer-route", "overlays/load-balancer-route/route.yaml", "balance: roundrobin", "balance: round-robin",
        "'round-robin' is not one of"),
    "a certificate at a passthrough Route": (
        "load-balancer-route", "overlays/load-balancer-route/route.yaml", "termination: passthrough",
        "termination: passthrough\n    externalCertificate: {name: hotrod-route-tls}",
        "spec.tls: False schema does not allow"),
    "an upgrade that is no CONNECT": (
        "connect-envoy-gateway", "overlays/connect-envoy-gateway/policies.yaml", "type: CONNECT", "type: websocket",
        "'CONNECT' was expected"),
    "a patch that is not Envoy's": (
        "connect-istio", "overlays/connect-istio/envoyfilter.yaml", "connect_config: {}", "connect_configuration: {}",
        "is not valid under any"),
    "a kind without a schema": (
        "front-route", "components/monitoring/podmonitor.yaml", "kind: PodMonitor", "kind: PodMonitors",
        "there is no schema of PodMonitors"),
    # selectors
    "a Service that selects nobody": (
        "front-route", "bases/front/service.yaml", "selector:\n    app.kubernetes.io/name: hotrod-gateway",
        "selector:\n    app.kubernetes.io/name: gateway", "Service hotrod-gateway: no pod has the labels"),
    "a workload that does not select its pods": (
        "front-route", FRONT, "matchLabels:\n      app.kubernetes.io/name: hotrod-gateway\n  template",
        "matchLabels:\n      app.kubernetes.io/name: gateway\n  template", "labels of its own pods"),
    "a pod's own Service for a pod that is not there": (
        "stable-names-route", SERVER, "replicas: 3", "replicas: 2", "Service infinispan-2: no pod has the labels"),
    "a filter for nobody's gateway": (
        "connect-istio", "overlays/connect-istio/envoyfilter.yaml", "name: hotrod-istio", "name: istio",
        "EnvoyFilter hotrod-connect: no pod has the labels"),
    # ports
    "a Service for a port that no container has": (
        "front-route", "bases/front/service.yaml", "targetPort: hotrod-http", "targetPort: http",
        "no container of Deployment hotrod-gateway has the port http"),
    "a NetworkPolicy for a port that no container has": (
        "front-route", "components/from-router/networkpolicy.yaml", "port: 11322", "port: 11323",
        "has the port 11323"),
    "traffic that no NetworkPolicy lets in": (
        "sidecar-route-edge", "components/from-router/networkpolicy.yaml", "port: 11322", "port: 9990",
        "Route hotrod: no NetworkPolicy lets anybody reach port 11322"),
    "metrics at a port that is not there": (
        "front-route", "components/monitoring/podmonitor.yaml", "port: admin", "port: metrics", "has no port metrics"),
    # backends
    "a Route to a Service that is not there": (
        "sidecar-route-edge", "overlays/sidecar-route-edge/route.yaml", "name: hotrod-gateway", "name: gateway",
        "Route hotrod: there is no Service gateway"),
    "an Ingress to a port that the Service has not": (
        "front-ingress-nginx", "overlays/front-ingress-nginx/ingress.yaml", "name: hotrod-http", "name: http",
        "Ingress hotrod: there is no Service hotrod-gateway with the port http"),
    "an HTTPRoute to a port that the Service has not": (
        "connect-envoy-gateway", "overlays/connect-envoy-gateway/route.yaml", "port: 11222", "port: 11223",
        "HTTPRoute hotrod: there is no Service infinispan with the port 11223"),
    "an HTTPRoute at a listener that is not there": (
        "connect-envoy-gateway", "overlays/connect-envoy-gateway/route.yaml", "sectionName: hotrod", "sectionName: https",
        "has no listener https"),
    "a policy for a route that is not there": (
        "connect-envoy-gateway", "overlays/connect-envoy-gateway/policies.yaml", "kind: HTTPRoute\n      name: hotrod",
        "kind: HTTPRoute\n      name: other", "there is no HTTPRoute other"),
    "a patch for a route that nobody has": (
        "connect-istio", "overlays/connect-istio/gateway.yaml", "- name: hotrod-connect", "- name: connect",
        "no VirtualService has a route hotrod-connect"),
    # references
    "a Secret that nobody makes": (
        "front-ingress-haproxy", "overlays/front-ingress-haproxy/ingress.yaml", "secretName: hotrod-ingress-tls",
        "secretName: ingress-tls", "nobody makes Secret ingress-tls"),
    "a serving certificate that nobody asks for": (
        "sidecar-route-reencrypt", "overlays/sidecar-route-reencrypt/serving-certificate.yaml",
        "serving-cert-secret-name: hotrod-gateway-tls", "serving-cert-secret-name: gateway-tls",
        "nobody makes Secret hotrod-gateway-tls"),
    "a key that the Secret has not": (
        "load-balancer-route", "components/server-tls/tls.yaml", "key: keystore.p12", "key: keystore.jks",
        "Secret infinispan-tls has no keystore.jks"),
    "a file where nothing is mounted": (
        "front-route", "overlays/front-route/tls.yaml", "value: /etc/hotrod-gateway/tls/tls.crt",
        "value: /etc/hotrod-gateway/tls.crt", "reads /etc/hotrod-gateway/tls.crt"),
    "a volume inside of a volume": (
        "front-route", SERVER, "mountPath: /etc/infinispan-identities", "mountPath: /etc/infinispan/identities",
        "inside of another volume"),
    "a configuration that is no XML": (
        "front-route", "bases/infinispan/infinispan.xml", "</endpoints>", "</endpoint>", "infinispan.xml is not XML"),
    "a certificate that the router may not read": (
        "front-route", "components/router-certificate/role.yaml", "resourceNames: [hotrod-route-tls]",
        "resourceNames: [route-tls]", "nobody makes Secret route-tls"),
    # options
    "a flag that the gateway has not": (
        "front-route", FRONT, "--drain-timeout=30s", "--drain-time=30s", "the gateway has no option drain-time"),
    "a variable that the gateway has not": (
        "sidecar-route-reencrypt", "overlays/sidecar-route-reencrypt/tls.yaml", "HOTROD_GATEWAY_TLS_KEY",
        "HOTROD_GATEWAY_TLS_PRIVATE_KEY", "the gateway has no option tls-private-key"),
    "a value that is none": (
        "front-route", FRONT, "--buffer=32KiB", "--buffer=32KB", "'32KB' is no value for buffer"),
    "a sidecar without a name": (
        "sidecar-route-edge", SIDECAR, "HOTROD_GATEWAY_NODE_NAME", "NODE_NAME", "node-name is missing"),
    "a certificate without its key": (
        "front-route", "overlays/front-route/tls.yaml", "HOTROD_GATEWAY_TLS_KEY", "TLS_KEY", "tls-cert and tls-key go together"),
    "members that nobody serves": (
        "front-route", FRONT, "--upstream=infinispan:11222", "--upstream=infinispan:11223",
        "there is no Service for upstream infinispan:11223"),
    "sessions that do not fit into memory": (
        "front-route", FRONT, "--max-sessions=5000", "--max-sessions=50000", "max-sessions times twice buffer"),
    # lifecycle
    "a probe that asks the clients' port": (
        "front-route", FRONT, "path: /readyz\n              port: admin", "path: /readyz\n              port: hotrod-http",
        "readinessProbe does not ask the admin port"),
    "a probe of something else": (
        "front-route", FRONT, "path: /healthz", "path: /metrics", "livenessProbe is at /metrics"),
    "an admin port that the container does not name": (
        "sidecar-route-edge", SIDECAR, "--admin=0.0.0.0:9990", "--admin=0.0.0.0:9991", "admin is at a port"),
    "no time for the drain": (
        "front-route", FRONT, "terminationGracePeriodSeconds: 45", "terminationGracePeriodSeconds: 30",
        "preStop and drain take 35 s, and there are 30 s"),
    "a drain that begins at once": (
        "front-route", FRONT, "sleep:\n                seconds: 5", "sleep:\n                seconds: 0", "the gateway has no preStop"),
    "a member that goes before its gateway": (
        "sidecar-route-edge", SIDECAR, "seconds: 40", "seconds: 20", "its gateway drains for 35 s"),
    "a member without time to stop": (
        "sidecar-route-edge", SERVER, "terminationGracePeriodSeconds: 120", "terminationGracePeriodSeconds: 60",
        "infinispan has 20 s to stop"),
    # security
    "a root that can be written": (
        "front-route", FRONT, "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "may write into its own image"),
    "a pod that may be root": (
        "front-route", FRONT, "runAsNonRoot: true", "runAsNonRoot: false", "may run as root"),
    "rights that grow": (
        "sidecar-route-edge", SIDECAR, "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "may get more rights"),
    "a user that OpenShift refuses": (
        "front-route", FRONT, "runAsNonRoot: true", "runAsNonRoot: true\n        fsGroup: 1000", "fsGroup is not for"),
    "no limit of memory": (
        "load-balancer-service", SERVER, "limits:\n              memory: 1Gi", "limits: {}", "no limit of memory"),
    "a workload without a budget": (
        "front-route", "bases/front/kustomization.yaml", "  - disruption.yaml\n", "", "has 0 PodDisruptionBudgets"),
    # image
    "an image of another version": (
        "front-route", "overlays/front-route/kustomization.yaml", "newTag: 0.1.0", "newTag: 0.2.0", "is not hotrod-gateway:"),
}
# The same for the Containerfile and the pages; here the file is that of the repository.
WHOLE = {
    "a folder to copy that is not there": (
        "gateway/deploy/Containerfile", "COPY core core", "COPY kernel core", "there is no kernel to copy"),
    "a member of the workspace that is not copied": (
        "gateway/deploy/Containerfile", "COPY tools tools\n", "", "tools/vocabulary, of the workspace, is not copied"),
    "a build of something else": (
        "gateway/deploy/Containerfile", "--locked", "--offline", "it does not build by"),
    "an old toolchain": (
        "gateway/deploy/Containerfile", "rust:1.95", "rust:1.70", "has not Rust"),
    "an image that is root": (
        "gateway/deploy/Containerfile", "USER 65532:65532", "USER root", "USER is to be a number"),
    "an overlay without a page": (
        "docs/outside/istio-connect.md", "deploy/overlays/connect-istio", "deploy/connect-istio",
        "no page in docs/outside is about connect-istio"),
    "a link that leads nowhere": (
        "docs/outside/choosing.md", "(ingress.md)", "(ingresses.md)", "a link leads nowhere: ingresses.md"),
}


class Faults(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.deploy = self.root / "gateway/deploy"
        shutil.copytree(DEPLOY, self.deploy, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(ROOT / "docs", self.root / "docs")
        for name in ("gateway/README.md", "Cargo.toml"):
            shutil.copy(ROOT / name, self.root / name)
        # Enough to be there: that Cargo reads it is checked in the repository itself.
        for name in ("Cargo.lock", "core", "cli", "bindings", "bench", "tests", "tools"):
            (self.root / name).mkdir()

    @contextmanager
    def broken(self, file, old, new):
        path = self.root / file
        whole = path.read_text()
        self.assertIn(old, whole, f"{file} has changed: this fault needs another place")
        path.write_text(whole.replace(old, new))
        try:
            yield
        finally:
            path.write_text(whole)

    def whole(self):
        overlays = [folder.name for folder in (self.deploy / "overlays").iterdir()]
        return [*image.complaints(self.root), *pages.complaints(self.root, overlays)]

    def test_what_is_whole_passes(self):
        for overlay in sorted({overlay for overlay, *_ in FAULTS.values()}):
            self.assertEqual(check(self.deploy / "overlays" / overlay), [])
        self.assertEqual(self.whole(), [])

    def test_every_fault_of_a_manifest_is_found(self):
        for fault, (overlay, file, old, new, complaint) in FAULTS.items():
            with self.subTest(fault), self.broken(f"gateway/deploy/{file}", old, new):
                self.assertIn(complaint, "\n".join(check(self.deploy / "overlays" / overlay)))

    def test_every_fault_of_image_and_pages_is_found(self):
        for fault, (file, old, new, complaint) in WHOLE.items():
            with self.subTest(fault), self.broken(file, old, new):
                self.assertIn(complaint, "\n".join(self.whole()))

    @unittest.skipUnless(os.environ.get("HOTROD_GATEWAY_PROGRAM"), "hotrod-gateway has not been built")
    def test_what_the_gateway_itself_refuses_is_found(self):
        # An option that it has, and that means nothing here: only the program knows.
        with self.broken(f"gateway/deploy/{FRONT}", "--buffer=32KiB", "--buffer=32KiB\n            - --members=3"):
            found = check(self.deploy / "overlays/front-route", os.environ["HOTROD_GATEWAY_PROGRAM"])
        self.assertIn("the gateway refuses it: --members: means nothing without --embedded", "\n".join(found))


if __name__ == "__main__":
    unittest.main()
