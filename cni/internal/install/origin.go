package install

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
)

// module is the path of this product's Go module, which the compiler writes into every binary.
const module = "github.com/spidercoordinator/"

// origin says whose a file is.
type origin int

const (
	absent  origin = iota
	ours           // of this product: of any version, or what is left of one
	foreign        // of another product
	damaged        // no program: nobody's, for no runtime can run it
)

// originOf says whose the file is. The module in its Go build information decides; where there is none, this
// product's path in the file does, and a whole program without it is another product's.
func originOf(path string) (origin, error) {
	info, err := buildinfo.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return absent, nil
	case errors.Is(err, fs.ErrPermission):
		return absent, err
	case err == nil && strings.HasPrefix(info.Path, module):
		return ours, nil
	case err == nil:
		return foreign, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return absent, err
	}
	defer func() { _ = file.Close() }()
	found, err := contains(file, module)
	if err != nil {
		return absent, err
	}
	if found {
		return ours, nil
	}
	if isProgram(file) {
		return foreign, nil
	}
	return damaged, nil
}

// contains searches a file piece by piece: another product's may be larger than this process may get.
func contains(file io.Reader, text string) (bool, error) {
	var window []byte
	piece := make([]byte, 64<<10)
	for {
		n, err := file.Read(piece)
		window = append(window, piece[:n]...)
		if bytes.Contains(window, []byte(text)) {
			return true, nil
		}
		window = append(window[:0], window[max(0, len(window)-len(text)):]...)
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
}

// isProgram says whether the kernel could run the file: a script, or an ELF file that nothing is cut off.
func isProgram(file *os.File) bool {
	start := make([]byte, 2)
	if _, err := file.ReadAt(start, 0); err != nil {
		return false
	}
	if string(start) == "#!" {
		return true
	}
	program, err := elf.NewFile(file)
	if err != nil {
		return false
	}
	info, err := file.Stat()
	if err != nil {
		return false
	}
	for _, segment := range program.Progs {
		if segment.Type == elf.PT_LOAD && segment.Off+segment.Filesz > uint64(info.Size()) {
			return false
		}
	}
	return len(program.Progs) > 0
}
