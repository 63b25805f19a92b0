package counters

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Path is where the file is on a node. Plugins count while it is there; the installer makes and removes it.
const Path = "/var/lib/spidercoordinator/counters"

// File is the file, mapped into memory and shared with all processes that have it open. A nil File counts nothing.
type File struct{ data []byte }

// Open maps the file to count in it.
//
// It fails when there is none (errors.Is fs.ErrNotExist), and when it has another layout.
func Open(path string) (*File, error) {
	return open(path, unix.O_RDWR, unix.PROT_READ|unix.PROT_WRITE)
}

// OpenToRead maps the file to read from it; it fails as Open does.
func OpenToRead(path string) (*File, error) { return open(path, unix.O_RDONLY, unix.PROT_READ) }

func open(path string, flags, protection int) (*File, error) {
	// Not by os.File, which would prepare to wait for the file: a plugin opens it for each pod.
	file, err := unix.Open(path, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer func() { _ = unix.Close(file) }()
	var info unix.Stat_t
	if err := unix.Fstat(file, &info); err != nil {
		return nil, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if info.Mode&unix.S_IFMT != unix.S_IFREG || info.Size != int64(bytesInLayout) {
		return nil, fmt.Errorf("%s is not a file of counters of this version: it has %d bytes, not %d", path, info.Size, bytesInLayout)
	}
	data, err := unix.Mmap(file, 0, bytesInLayout, protection, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %s into memory: %w", path, err)
	}
	mapped := &File{data}
	found, err := mapped.load(cellSignature)
	if err == nil && found != signature {
		err = fmt.Errorf("%s is not a file of counters of this version: its signature is another", path)
	}
	if err != nil {
		mapped.Close()
		return nil, err
	}
	return mapped, nil
}

// Close unmaps the file.
func (f *File) Close() {
	if f != nil {
		_ = unix.Munmap(f.data)
	}
}

// Ensure makes the file, with zeros, unless there is one of this layout already. All of its blocks are written, so that
// a disk that gets full later has room for each counter.
func Ensure(path string) error {
	existing, err := Open(path)
	if err == nil {
		existing.Close()
		return nil
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("make the file of counters %s: %w", path, err)
	}
	content := make([]byte, bytesInLayout)
	*(*uint64)(unsafe.Pointer(&content[0])) = signature
	_, err = file.Write(content)
	err = errors.Join(err, file.Chmod(0o644), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return fmt.Errorf("make the file of counters %s: %w", path, err)
	}
	return nil
}

// Remove has the plugins count no more. There may be no file.
func Remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the file of counters: %w", err)
	}
	return nil
}

// cell is a number of the file. The mapping begins at a page, so each is aligned as atomic access needs it.
func (f *File) cell(index int) *uint64 { return (*uint64)(unsafe.Pointer(&f.data[index*bytesPerCell])) }

func (f *File) add(index int, by uint64) {
	_ = guarded(func() { atomic.AddUint64(f.cell(index), by) })
}

func (f *File) store(index int, value uint64) {
	_ = guarded(func() { atomic.StoreUint64(f.cell(index), value) })
}

func (f *File) load(index int) (value uint64, err error) {
	err = guarded(func() { value = atomic.LoadUint64(f.cell(index)) })
	return value, err
}

// guarded makes an error of the signal that the kernel sends where the file behind the memory was cut off, or where a
// copy-on-write file system has no room for the page: a call must not fail for its count.
func guarded(access func()) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		caught := recover()
		if _, ok := caught.(interface{ Addr() uintptr }); ok {
			err = fmt.Errorf("the file of counters cannot be accessed: %v", caught)
		} else if caught != nil {
			panic(caught)
		}
	}()
	access()
	return nil
}
