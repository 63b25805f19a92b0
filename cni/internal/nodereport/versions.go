package nodereport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/containernetworking/cni/pkg/version"
)

const (
	// answerLimit is how many bytes of a plugin's answer are read; a list of versions has some hundred.
	answerLimit = 16 << 10
	// attempts is how often a plugin is asked that does not answer; a busy node may be the reason of the first.
	attempts = 3
)

// Versions asks the programs in a node's directory of CNI plugins for the CNI versions that they speak, each once for as
// long as its file is the same.
type Versions struct {
	Dir      string
	Deadline time.Duration // for one plugin
	// Pending is a file with the identities of the files that are being asked. One that is in it at the start took this
	// process with it, as when it needs more memory than the container has: it is not asked again.
	Pending string

	answers map[string]answer // by identity of the file
	skipped map[string]bool
}

type answer struct {
	versions string // separated by spaces; empty: not known
	asked    int
}

// Of gives the CNI versions that plugins speak: versions, separated by spaces, to the plugins that speak these. A plugin
// that does not answer, or cannot run in this container, is in none.
func (v *Versions) Of(names []string) map[string][]string {
	if v.answers == nil {
		v.answers, v.skipped = map[string]answer{}, v.readPending()
	}
	current, speaks := make(map[string]answer, len(names)), map[string][]string{}
	for _, name := range names {
		path := filepath.Join(v.Dir, name)
		file, err := identity(path)
		if err != nil {
			continue
		}
		known := v.answers[file]
		if known.versions == "" && known.asked < attempts && !v.skipped[file] {
			known = answer{versions: v.askOnce(path, file), asked: known.asked + 1}
		}
		current[file] = known
		if known.versions != "" {
			speaks[known.versions] = append(speaks[known.versions], name)
		}
	}
	v.answers = current
	return speaks
}

func (v *Versions) askOnce(path, file string) string {
	pending := append(v.pendingLines(), file)
	if err := v.writePending(pending); err != nil {
		return "" // without the record one that kills this process would do so for ever
	}
	versions, err := Ask(path, v.Deadline)
	if err != nil {
		versions = ""
	}
	_ = v.writePending(pending[:len(pending)-1])
	return versions
}

func (v *Versions) pendingLines() []string {
	lines := make([]string, 0, len(v.skipped)+1)
	for file := range v.skipped {
		lines = append(lines, file)
	}
	return lines
}

func (v *Versions) readPending() map[string]bool {
	skipped := map[string]bool{}
	content, err := os.ReadFile(v.Pending)
	if err == nil {
		for file := range strings.Lines(string(content)) {
			skipped[strings.TrimSuffix(file, "\n")] = true
		}
	}
	return skipped
}

func (v *Versions) writePending(lines []string) error {
	if len(lines) == 0 {
		if err := os.Remove(v.Pending); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	return os.WriteFile(v.Pending, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}

// Ask runs a plugin with the command VERSION of the CNI specification and gives the versions that it answers, separated
// by spaces. It fails when the plugin does not answer in time or not as the specification says.
func Ask(path string, deadline time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	var stdout bytes.Buffer
	command := exec.CommandContext(ctx, path)
	// The other variables are libcni's own for this command; some plugins look for them.
	command.Env = []string{
		"CNI_COMMAND=VERSION", "CNI_CONTAINERID=dummy", "CNI_NETNS=dummy", "CNI_IFNAME=dummy", "CNI_PATH=dummy", "CNI_ARGS=",
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "GOGC=20", "GOMAXPROCS=1",
	}
	command.Stdin = strings.NewReader(fmt.Sprintf(`{"cniVersion":%q}`, version.Current()))
	command.Stdout = &limitedWriter{to: &stdout, left: answerLimit}
	// What it started ends with it, and keeps nobody waiting for the pipe.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = time.Second
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("%s VERSION: %w", path, err)
	}
	var decoder version.PluginDecoder
	info, err := decoder.Decode(stdout.Bytes())
	if err != nil {
		return "", fmt.Errorf("%s VERSION: %w", path, err)
	}
	return strings.Join(info.SupportedVersions(), " "), nil
}

// identity stands for a file and its content: another file, or another content, has another one.
func identity(path string) (string, error) {
	var stat syscall.Stat_t
	if err := syscall.Stat(path, &stat); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d:%d:%d:%d.%d:%d.%d", stat.Dev, stat.Ino, stat.Size,
		stat.Mtim.Sec, stat.Mtim.Nsec, stat.Ctim.Sec, stat.Ctim.Nsec), nil
}

type limitedWriter struct {
	to   io.Writer
	left int
}

func (w *limitedWriter) Write(piece []byte) (int, error) {
	if len(piece) > w.left {
		return 0, errors.New("the answer is too long")
	}
	w.left -= len(piece)
	return w.to.Write(piece)
}
