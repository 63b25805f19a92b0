package facts

import (
	"errors"
	"io"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

const sysctlRoot = "/proc/sys"

// ReadSysctl reads a setting below /proc/sys of the namespace, such as net/ipv4/ip_forward, without the
// newline.
func (n *Namespace) ReadSysctl(key string) (string, error) {
	file, err := n.openSysctl(key, unix.O_RDONLY)
	if err != nil {
		return "", err
	}
	value, err := io.ReadAll(file)
	return strings.TrimSpace(string(value)), errors.Join(err, file.Close())
}

// WriteSysctl writes a setting below /proc/sys of the namespace.
func (n *Namespace) WriteSysctl(key, value string) error {
	file, err := n.openSysctl(key, unix.O_WRONLY)
	if err != nil {
		return err
	}
	_, err = file.WriteString(value)
	return errors.Join(err, file.Close())
}

// lacksIPv6 says whether the namespace has no IPv6 (not compiled in, or ipv6.disable=1). Nothing of that
// family is read there or written.
func (n *Namespace) lacksIPv6() bool {
	folder, err := n.openSysctl("net/ipv6/conf/all", unix.O_PATH)
	if err != nil {
		return errors.Is(err, os.ErrNotExist)
	}
	_ = folder.Close()
	return false
}

// readSysctls reads the settings that there are.
func (n *Namespace) readSysctls(keys []string) map[string]string {
	values := make(map[string]string, len(keys))
	for _, key := range keys {
		if value, err := n.ReadSysctl(key); err == nil { // a missing key is a fact too
			values[key] = value
		}
	}
	return values
}

func (n *Namespace) openSysctl(key string, flags int) (*os.File, error) {
	group, name := cutSysctl(key)
	whole := path.Join(sysctlRoot, key)
	folder, err := n.sysctlGroup(group)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: whole, Err: err}
	}
	fd, err := unix.Openat(folder, name, flags|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: whole, Err: err}
	}
	return os.NewFile(uintptr(fd), whole), nil
}

// cutSysctl cuts net/ipv4/conf/eth0/rp_filter into net/ipv4 and the rest, and kernel/ostype at its slash.
func cutSysctl(key string) (group, name string) {
	parts := strings.SplitN(key, "/", 3)
	last := len(parts) - 1
	return path.Join(parts[:last]...), parts[last]
}

// sysctlGroup opens a folder such as net/ipv4 once: below net the kernel looks through the folders of that
// name of all namespaces of the node, one after another (proc_sys_compare), which is most of the time
// that a setting takes beside some hundred pods.
func (n *Namespace) sysctlGroup(group string) (int, error) {
	if folder, opened := n.sysctls[group]; opened {
		return folder, nil
	}
	folder := -1
	err := n.Do(func() (err error) {
		folder, err = unix.Open(path.Join(sysctlRoot, group), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return -1, err
	}
	if n.sysctls == nil {
		n.sysctls = map[string]int{}
	}
	n.sysctls[group] = folder
	return folder, nil
}

func (n *Namespace) closeSysctls() {
	for _, folder := range n.sysctls {
		_ = unix.Close(folder)
	}
	n.sysctls = nil
}
