package install

import (
	"debug/buildinfo"
	"errors"
	"io/fs"
	"strings"
)

// module is the path of this product's Go module, which the compiler writes into every binary.
const module = "github.com/spidercoordinator/"

// isForeign says whether the file is another product's. A file without Go build information is.
func isForeign(path string) (bool, error) {
	info, err := buildinfo.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if errors.Is(err, fs.ErrPermission) {
		return false, err
	}
	if err != nil {
		return true, nil
	}
	return !strings.HasPrefix(info.Path, module), nil
}
