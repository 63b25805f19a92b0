"""The proof in a real mesh: Istio's injector, Envoy, mutual TLS that nobody may go without. No I/O.

It follows the guide's steps, with the networks that they made.
"""

from testbed.demo.checks import Check, identified, is_dropped, prints
from testbed.demo.manifests import APP_PORT, placement
from testbed.demo.steps import (
    ADDRESS,
    CLUSTER_ADDRESS,
    INHERITING,
    NO_ADDRESS,
    OWN,
    OWN_ADDRESS,
    Command,
    Step,
    patch,
    rendered,
)
from testbed.images import BOX

NAMESPACE = "mesh-demo"
"""Where all pods of this part are; Istio injects into it."""

CLIENT = "client"
"""The pod of the cluster network that asks the others, and its service account."""

IDENTITY = f"spiffe://cluster.local/ns/{NAMESPACE}/sa/{CLIENT}"
"""What the client's certificate says, by Istio's convention."""

_SIDECAR = "Istio's sidecar, STRICT"
_FROM = "a meshed pod of the cluster network"

_STRICT = f"""\
cat <<EOF | kubectl apply -f -
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata:
  name: default
  namespace: {NAMESPACE}
spec:
  mtls:
    mode: STRICT
EOF"""

_CLIENT = f"""\
cat <<EOF | kubectl apply -f -
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {CLIENT}
  namespace: {NAMESPACE}
---
apiVersion: v1
kind: Pod
metadata:
  name: {CLIENT}
  namespace: {NAMESPACE}
spec:{{placement}}
  serviceAccountName: {CLIENT}
  terminationGracePeriodSeconds: 0
  containers:
  - name: shell
    image: {BOX}
    command: [sleep, "2147483647"]
EOF"""

_APPLICATION = f"""\
cat <<EOF | kubectl apply -f -
apiVersion: v1
kind: Service
metadata:
  name: {{name}}
  namespace: {NAMESPACE}
spec:
  selector:
    app: {{name}}
  ports:
  - name: http
    port: 80
    targetPort: {APP_PORT}
---
apiVersion: v1
kind: Pod
metadata:
  name: {{name}}
  namespace: {NAMESPACE}
  labels:
    app: {{name}}
  annotations:
    v1.multus-cni.io/default-network: {{network}}
spec:{{placement}}
  terminationGracePeriodSeconds: 0
  containers:
  - name: app
    image: {BOX}
    command: [redirect-listener, "{APP_PORT}"]
EOF"""


def steps(node: str = "") -> tuple[Step, ...]:
    """Return the proof in order; with several nodes, `node` is the one where all pods run."""
    return (
        _mesh(node),
        Step(
            "Proof in Istio: without an address the pod is Ready, and nobody reaches it",
            (
                patch(""),
                rendered("macvlan-inherit", ""),
                *_application("without", INHERITING, node),
                Command(f"kubectl get pods -n {NAMESPACE}", prints("2/2")),
                _ask("without", is_dropped, NO_ADDRESS),
            ),
        ),
        Step(
            "Proof in Istio: the address of one network is enough",
            (*_application("own-address", OWN, node), *_answered("own-address", OWN_ADDRESS)),
        ),
        Step(
            "Proof in Istio: so is the cluster's, after a patch and with a new pod",
            (
                patch(ADDRESS),
                rendered("macvlan-inherit", ADDRESS),
                *_application("cluster-address", INHERITING, node),
                *_answered("cluster-address", CLUSTER_ADDRESS),
            ),
        ),
    )


def _mesh(node: str) -> Step:
    return Step(
        "A namespace in Istio's mesh, where mutual TLS is a must, with a client in it",
        (
            Command("kubectl get pods -n istio-system", prints("istiod", "Running")),
            Command(f"kubectl create namespace {NAMESPACE}"),
            Command(f"kubectl label namespace {NAMESPACE} istio-injection=enabled"),
            Command(_STRICT, prints("peerauthentication.security.istio.io/default created")),
            _create(_CLIENT.format(placement=placement(node))),
            _ready(CLIENT),
        ),
    )


def _create(text: str) -> Command:
    # The API server asks Istio's injector, which has ten seconds, also on a busy machine.
    return Command(text, within=60)


def _application(name: str, network: str, node: str) -> tuple[Command, Command]:
    text = _APPLICATION.format(name=name, network=network, placement=placement(node))
    return _create(text), _ready(name)


def _answered(name: str, address: str) -> tuple[Command, Command]:
    log = f"kubectl logs {name} -n {NAMESPACE} -c istio-proxy --tail=1"
    # Envoy writes the log in batches.
    seen = Command(log, prints('"GET / HTTP/1.1" 200'), within=30)
    return _ask(name, identified(IDENTITY), address), seen


def _ask(name: str, check: Check, address: str) -> Command:
    text = f"kubectl exec {CLIENT} -n {NAMESPACE} -c shell -- fetch http://{name}/"
    # The client's proxy hears of the new endpoint in its own time, and answers 503 until then.
    return Command(text, check, within=30, proves=(address, _SIDECAR, _FROM))


def _ready(name: str) -> Command:
    return Command(
        f"kubectl wait pod {name} -n {NAMESPACE} --for=condition=Ready --timeout=120s",
    )
