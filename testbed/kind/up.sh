#!/usr/bin/env bash
# A two-node Kubernetes on kind with the real Multus and the product: `make kind-up`.
#
# Needs Linux with Docker. Run it again after a change of the sources: it builds, loads and upgrades.
#   KIND_CLUSTER         name of the kind cluster (spidercoordinator)
#   KIND_NODE_IMAGE      image of its nodes
#   MULTUS_MANIFEST_URL  manifest of Multus; a file's path works, too
#   CNI_PLUGINS_VERSION  version of the macvlan plugin and its neighbours, which kind's nodes lack
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
cluster=${KIND_CLUSTER:-spidercoordinator}
node_image=${KIND_NODE_IMAGE:-kindest/node:v1.34.0@sha256:7416a61b42b1662ca6ca89f02028ac133a309a2a30ba309614e8ec94d976dc5a}
multus=${MULTUS_MANIFEST_URL:-https://raw.githubusercontent.com/k8snetworkplumbingwg/multus-cni/v4.2.2/deployments/multus-daemonset.yml}
plugins_version=${CNI_PLUGINS_VERSION:-v1.9.1}
python=$root/.venv/bin/python
state=$root/.testbed/kind
export KUBECONFIG=$state/kubeconfig

say() { printf '\n==> %s\n' "$*"; }
fail() { printf 'kind-up: %s\n' "$*" >&2; exit 1; }

check() {
  local missing=()
  for program in docker kind kubectl helm go; do
    command -v "$program" >/dev/null || missing+=("$program")
  done
  [[ ${#missing[@]} -eq 0 ]] || fail "not installed: ${missing[*]} (without Docker, use make up instead)"
  [[ $OSTYPE == linux* ]] || fail "the CNI plugins are built for this machine, so it has to run Linux"
  docker info >/dev/null 2>&1 || fail "docker is installed, but its engine does not answer: see docker info"
  [[ -x $python ]] || fail "$python is missing: run make setup first"
}

create_cluster() {
  mkdir -p "$state"
  if kind get clusters | grep -qx "$cluster"; then
    kind export kubeconfig --name "$cluster" --kubeconfig "$KUBECONFIG"
  else
    kind create cluster --name "$cluster" --image "$node_image" --kubeconfig "$KUBECONFIG" \
      --config "$root/testbed/kind/cluster.yaml" --wait 3m
  fi
}

install_plugins() {
  local module=github.com/containernetworking/plugins/plugins
  GOBIN=$state/bin CGO_ENABLED=0 GOFLAGS=-trimpath go install \
    "$module/main/macvlan@$plugins_version" \
    "$module/ipam/host-local@$plugins_version" \
    "$module/ipam/static@$plugins_version" \
    "$module/meta/tuning@$plugins_version"
  local node
  for node in $(kind get nodes --name "$cluster"); do
    tar -C "$state/bin" -c . | docker exec -i "$node" tar -C /opt/cni/bin --no-same-owner -x
  done
}

load_images() {
  local version part box
  version=$(sed -n 's/^appVersion: "\(.*\)"$/\1/p' "$root/charts/spidercoordinator/Chart.yaml")
  for part in operator cni; do
    docker build --target "$part" --tag "localhost/spidercoordinator/$part:$version" "$root"
    kind load docker-image --name "$cluster" "localhost/spidercoordinator/$part:$version"
  done
  box=$(cd "$root" && "$python" -m testbed.images box)
  kind load image-archive --name "$cluster" "$box"
}

install_multus() {
  kubectl apply -f "$multus"
  kubectl -n kube-system rollout status daemonset kube-multus-ds --timeout=3m
}

install_product() {
  local networks
  networks=$(docker network inspect kind --format '{{range .IPAM.Config}}{{.Subnet}}={{.Gateway}} {{end}}')
  # shellcheck disable=SC2086 # one argument a network
  (cd "$root" && "$python" -m testbed.kind.values $networks) >"$state/values.yaml"
  helm upgrade --install spidercoordinator "$root/charts/spidercoordinator" \
    --namespace spiderpool --create-namespace --values "$state/values.yaml" --wait --timeout 3m
  # The images keep their tag: pods that ran before must start anew to get what was built now.
  kubectl -n spiderpool rollout restart deployment,daemonset
  kubectl -n spiderpool rollout status deployment --timeout=2m
  kubectl -n spiderpool rollout status daemonset --timeout=2m
}

check
say "cluster $cluster" && create_cluster
say "CNI plugins $plugins_version on its nodes" && install_plugins
say "images" && load_images
say "Multus from $multus" && install_multus
say "the chart" && install_product

cat <<END

The cluster is ready. Run the end-to-end tests on it, and remove it when done:

  export KUBECONFIG=$KUBECONFIG
  E2E_VALUES=$state/values.yaml $python -m pytest tests/e2e
  kind delete cluster --name $cluster
END
