"""containerd of one node."""

CONFIG = "/etc/containerd/testbed.toml"
SOCKET = "/run/containerd/containerd.sock"


def config(sandbox_image: str) -> str:
    """Render containerd's configuration; paths are those inside the node.

    `restrict_oom_score_adj` lets containers run where root lacks CAP_SYS_RESOURCE.
    """
    return f"""version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
# As low as the process that starts it: a lower value needs CAP_SYS_RESOURCE.
oom_score = 0
disabled_plugins = [
  "io.containerd.internal.v1.tracing",
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
  address = "{SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{sandbox_image}"
  restrict_oom_score_adj = true

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/opt/cni/bin"
    conf_dir = "/etc/cni/net.d"

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"

  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"

  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
    SystemdCgroup = false
"""
