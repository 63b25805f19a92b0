package counters

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"
)

func attachment(container int, revision uint64) Attachment {
	return Attachment{fmt.Sprintf("container-%d", container), "eth0", "network", "default", revision}
}

func attach(path string, attachment Attachment) {
	call := Begin(path, Coordinator, Status, time.Now())
	call.Attached(attachment)
	call.file.Close()
}

func detach(path, containerID, ifName string) {
	call := Begin(path, Coordinator, Status, time.Now())
	call.Detached(containerID, ifName)
	call.file.Close()
}

func expect(t *testing.T, path string, newest, older uint64) {
	t.Helper()
	if counts := read(t, path); counts.Newest != newest || counts.Older != older {
		t.Errorf("%d with the newest revision and %d with older ones, want %d and %d", counts.Newest, counts.Older, newest, older)
	}
}

func TestInterfacesOfOlderRevisionsAreTold(t *testing.T) {
	path := made(t)
	expect(t, path, 0, 0)
	attach(path, attachment(1, 7))
	attach(path, attachment(2, 7))
	expect(t, path, 2, 0)
	attach(path, attachment(3, 8))
	expect(t, path, 1, 2)
	attach(path, attachment(1, 8)) // set up anew
	expect(t, path, 2, 1)
	detach(path, "container-3", "eth0") // what is newest is known yet
	detach(path, "container-1", "eth0")
	expect(t, path, 0, 1)
	detach(path, "container-2", "eth1")
	expect(t, path, 0, 1)
	attach(path, attachment(4, 7)) // the former revision came back
	expect(t, path, 2, 0)
}

func TestNetworksOfOneNameAreToldApartByThePodsNamespace(t *testing.T) {
	path := made(t)
	for number, namespace := range []string{"a", "b"} {
		attach(path, Attachment{"container", fmt.Sprintf("net%d", number), "network", namespace, uint64(number)})
	}
	attach(path, Attachment{"container", "net2", "other", "a", 9})
	expect(t, path, 3, 0)
}

func TestManyInterfacesComeAndGoAtOnce(t *testing.T) {
	path := made(t)
	const workers, each = 8, 50
	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() {
			for number := range each {
				attach(path, attachment(worker*each+number, 7))
				if number%2 == 1 {
					detach(path, fmt.Sprintf("container-%d", worker*each+number), "eth0")
				}
			}
		})
	}
	group.Wait()
	expect(t, path, workers*each/2, 0)
}

func TestTablesThatAreFullLoseNothingButWhatComesThen(t *testing.T) {
	path := made(t)
	for number := range 2 * attachmentSlots {
		attach(path, attachment(number, 7))
	}
	for number := range 2 * networkSlots {
		attach(path, Attachment{"one", "eth0", fmt.Sprintf("network-%d", number), "default", 7})
	}
	counts := read(t, path)
	if counts.Newest < attachmentSlots/2 || counts.Newest > attachmentSlots || counts.Older != 0 {
		t.Errorf("%d and %d", counts.Newest, counts.Older)
	}
	for number := range 2 * attachmentSlots {
		detach(path, fmt.Sprintf("container-%d", number), "eth0")
	}
	detach(path, "one", "eth0")
	expect(t, path, 0, 0)
	counts = read(t, path)
	counts.Calls[Coordinator][Status] = Calls{} // by which the test came here
	if counts.Calls != (Counts{}).Calls {
		t.Error("the counters changed")
	}
}

func TestAttachmentsNeedNoFile(t *testing.T) {
	path := made(t)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	attach(path, attachment(1, 7))
	detach(path, "container-1", "eth0")
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Error("a plugin made the file")
	}
}
