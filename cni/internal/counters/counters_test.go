package counters

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func made(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "counters")
	if err := Ensure(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) *Counts {
	t.Helper()
	counts, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

func TestEachCallIsCountedInItsOwnCells(t *testing.T) {
	path := made(t)
	for _, plugin := range Plugins {
		for _, verb := range Verbs {
			for step := range stepNames {
				times := 1 + int(plugin)*100 + int(verb)*10 + step
				for range times {
					Begin(path, plugin, verb, time.Now()).End(Step(step))
				}
			}
		}
	}
	counts := read(t, path)
	for _, plugin := range Plugins {
		for _, verb := range Verbs {
			calls, sum, inBuckets := counts.Calls[plugin][verb], uint64(0), uint64(0)
			for step, count := range calls.Ended {
				if want := uint64(1 + int(plugin)*100 + int(verb)*10 + step); count != want {
					t.Errorf("%s %s, step %d: %d calls, want %d", plugin, verb, step, count, want)
				}
				sum += count
			}
			for _, count := range calls.Buckets {
				inBuckets += count
			}
			if calls.Begun != sum || inBuckets != sum {
				t.Errorf("%s %s: %d begun, %d in buckets, want %d", plugin, verb, calls.Begun, inBuckets, sum)
			}
		}
	}
	if counts.Resyncs != 0 || counts.ResyncsFailed != 0 || counts.LastResyncUnix != 0 || counts.Repairs != [len(repairNames)]uint64{} {
		t.Errorf("the installer's cells changed: %+v", counts)
	}
}

func TestACallThatDoesNotEndHasBegun(t *testing.T) {
	path := made(t)
	Begin(path, Coordinator, Add, time.Now())
	calls := read(t, path).Calls[Coordinator][Add]
	if calls.Begun != 1 || calls.Ended != [len(stepNames)]uint64{} {
		t.Errorf("%+v", calls)
	}
}

func TestDurationsFallIntoTheirBuckets(t *testing.T) {
	for index, bound := range append(Bounds[:len(Bounds):len(Bounds)], time.Hour) {
		path := made(t)
		// As if it had begun a little later than the bound ago: the rest of the test takes less than that.
		Begin(path, Coordinator, Del, time.Now().Add(-bound*9/10)).End(Done)
		calls := read(t, path).Calls[Coordinator][Del]
		found := -1
		for bucket, count := range calls.Buckets {
			if count == 1 {
				found = bucket
			}
		}
		// The machine may be slow: a later bucket, but never an earlier one.
		if found < index || calls.Spent < bound*9/10 {
			t.Errorf("a call of %s is in bucket %d, %s in all", bound*9/10, found, calls.Spent)
		}
	}
}

func TestTheInstallerIsCounted(t *testing.T) {
	path := made(t)
	file, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, repair := range Repairs {
		for range int(repair) + 1 {
			file.Repaired(repair)
		}
	}
	file.Resynced(time.Unix(1000, 0), true)
	file.Resynced(time.Unix(2000, 0), false)
	file.Resynced(time.Unix(3000, 0), false)
	file.Close()
	counts := read(t, path)
	if counts.Repairs != [...]uint64{1, 2, 3, 4, 5} || counts.Resyncs != 2 || counts.ResyncsFailed != 1 || counts.LastResyncUnix != 3000 {
		t.Errorf("%+v", counts)
	}
	if counts.Calls != (Counts{}).Calls {
		t.Error("the plugins' cells changed")
	}
}

func TestNothingIsLostWhenManyCountAtOnce(t *testing.T) {
	path := made(t)
	const workers, each = 16, 500
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for range each {
				Begin(path, Ifacer, Check, time.Now()).End(NotInSync)
			}
		})
	}
	group.Wait()
	calls := read(t, path).Calls[Ifacer][Check]
	if calls.Begun != workers*each || calls.Ended[NotInSync] != workers*each {
		t.Errorf("%d begun, %d ended, want %d", calls.Begun, calls.Ended[NotInSync], workers*each)
	}
}

func TestAFileThatIsThereStays(t *testing.T) {
	path := made(t)
	Begin(path, Coordinator, Add, time.Now()).End(Done)
	if err := Ensure(path); err != nil {
		t.Fatal(err)
	}
	if begun := read(t, path).Calls[Coordinator][Add].Begun; begun != 1 {
		t.Errorf("%d calls after the file was made sure of, want 1", begun)
	}
}

func TestAFileOfAnotherLayoutIsNotCountedInAndIsReplaced(t *testing.T) {
	other := make([]byte, bytesInLayout)
	other[3] = 7
	for name, content := range map[string][]byte{"empty": {}, "short": make([]byte, 100), "other": other} {
		path := filepath.Join(t.TempDir(), "counters")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		Begin(path, Coordinator, Add, time.Now()).End(Done)
		if left, err := os.ReadFile(path); err != nil || string(left) != string(content) {
			t.Errorf("%s: the file changed: %v", name, err)
		}
		if _, err := Read(path); err == nil {
			t.Errorf("%s: it was read", name)
		}
		if err := Ensure(path); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		Begin(path, Coordinator, Add, time.Now()).End(Done)
		if begun := read(t, path).Calls[Coordinator][Add].Begun; begun != 1 {
			t.Errorf("%s: %d calls in the new file, want 1", name, begun)
		}
	}
}

func TestAFileThatIsCutOffWhileItIsMappedIsNoFault(t *testing.T) {
	path := made(t)
	call := Begin(path, Coordinator, Add, time.Now())
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := call.file.load(cellResyncs); err == nil {
		t.Error("what is not there was read")
	}
	call.End(Done)
}

func TestWithoutAFileNothingIsCountedAndNoneIsMade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "counters")
	Begin(path, Coordinator, Add, time.Now()).End(Done)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a plugin made the file: %v", err)
	}
	if err := Remove(path); err != nil {
		t.Error(err)
	}
}

func TestASymbolicLinkIsNotFollowed(t *testing.T) {
	path := made(t)
	link := path + "-link"
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	Begin(link, Coordinator, Add, time.Now()).End(Done)
	if begun := read(t, path).Calls[Coordinator][Add].Begun; begun != 0 {
		t.Errorf("%d calls were counted by way of a link", begun)
	}
}

func TestEveryStepIsPossibleOfSomeVerb(t *testing.T) {
	seen := map[Step]bool{Done: true}
	for _, plugin := range Plugins {
		for _, verb := range Verbs {
			for _, step := range Possible(plugin, verb) {
				seen[step] = true
			}
		}
	}
	for step, name := range stepNames {
		if !seen[Step(step)] {
			t.Errorf("no verb can fail at %s", name)
		}
	}
}

func TestVerbsAreReadAsTheyAreWritten(t *testing.T) {
	for _, verb := range Verbs {
		if found, ok := ParseVerb(verb.String()); !ok || found != verb {
			t.Errorf("%s is read as %v, %v", verb, found, ok)
		}
	}
	for _, command := range []string{"VERSION", "", "add"} {
		if _, ok := ParseVerb(command); ok {
			t.Errorf("%q is a verb", command)
		}
	}
}

func TestTheSignatureIsThatOfTheLayout(t *testing.T) {
	if hash := hashOfLayout(); hash != signature {
		t.Errorf("signature is %#x, and the layout's hash %#x: files of the former layout must not be taken for ours", signature, hash)
	}
}
