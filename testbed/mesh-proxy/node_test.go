package main

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"
	"istio.io/istio/pkg/zdsapi"
)

// agent is the other end of the protocol: a node agent with one proxy that follows it.
type agent struct {
	t          *testing.T
	connection *net.UnixConn
}

func newAgent(t *testing.T, served *workloads) *agent {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "ztunnel.sock")
	listener, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: socket, Net: "unixpacket"})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- followAgent(socket, served) }()
	connection, err := listener.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	connection.SetDeadline(time.Now().Add(10 * time.Second))
	t.Cleanup(func() {
		connection.Close()
		listener.Close()
		if err := <-ended; err == nil {
			t.Error("it goes on without an agent")
		}
	})
	a := &agent{t, connection}
	hello := &zdsapi.ZdsHello{}
	a.read(hello)
	if hello.GetVersion() != zdsapi.Version_V1 {
		t.Fatalf("it says hello with version %v", hello.GetVersion())
	}
	return a
}

func (a *agent) read(into proto.Message) {
	a.t.Helper()
	raw := make([]byte, largestMessage)
	size, err := a.connection.Read(raw)
	if err == nil {
		err = proto.Unmarshal(raw[:size], into)
	}
	if err != nil {
		a.t.Fatal(err)
	}
}

// tell sends a message, with a descriptor where one is given, and returns what the answer complains of.
func (a *agent) tell(message *zdsapi.WorkloadRequest, descriptors ...int) string {
	a.t.Helper()
	raw, err := proto.Marshal(message)
	if err != nil {
		a.t.Fatal(err)
	}
	if _, _, err := a.connection.WriteMsgUnix(raw, unix.UnixRights(descriptors...), nil); err != nil {
		a.t.Fatal(err)
	}
	response := &zdsapi.WorkloadResponse{}
	a.read(response)
	if response.GetAck() == nil {
		a.t.Fatalf("%v is answered without an acknowledgement", message)
	}
	return response.GetAck().GetError()
}

func added(uid string) *zdsapi.WorkloadRequest {
	info := &zdsapi.WorkloadInfo{Name: "web", Namespace: "apps"}
	return &zdsapi.WorkloadRequest{Payload: &zdsapi.WorkloadRequest_Add{
		Add: &zdsapi.AddWorkload{Uid: uid, WorkloadInfo: info},
	}}
}

func kept(uid string) *zdsapi.WorkloadRequest {
	return &zdsapi.WorkloadRequest{Payload: &zdsapi.WorkloadRequest_Keep{Keep: &zdsapi.KeepWorkload{Uid: uid}}}
}

func deleted(uid string) *zdsapi.WorkloadRequest {
	return &zdsapi.WorkloadRequest{Payload: &zdsapi.WorkloadRequest_Del{Del: &zdsapi.DelWorkload{Uid: uid}}}
}

func allSent() *zdsapi.WorkloadRequest {
	return &zdsapi.WorkloadRequest{Payload: &zdsapi.WorkloadRequest_SnapshotSent{SnapshotSent: &zdsapi.SnapshotSent{}}}
}

// listening is a pod that is served already, by a listener on the loopback.
func listening(t *testing.T) *workload {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return &workload{io.NopCloser(nil), []net.Listener{listener}}
}

func isOpen(w *workload) bool {
	connection, err := net.Dial("tcp", w.listeners[0].Addr().String())
	if err == nil {
		connection.Close()
	}
	return err == nil
}

func TestASnapshotEndsPodsThatAreNotInIt(t *testing.T) {
	stays, goes := listening(t), listening(t)
	a := newAgent(t, &workloads{running: map[string]*workload{"stays": stays, "goes": goes}})
	for _, message := range []*zdsapi.WorkloadRequest{kept("stays"), allSent()} {
		if complaint := a.tell(message); complaint != "" {
			t.Error(complaint)
		}
	}
	if !isOpen(stays) || isOpen(goes) {
		t.Errorf("open: %v and %v, want the first alone", isOpen(stays), isOpen(goes))
	}
	if complaint := a.tell(deleted("stays")); complaint != "" || isOpen(stays) {
		t.Errorf("deleted: %q, still open: %v", complaint, isOpen(stays))
	}
	if complaint := a.tell(deleted("stays")); complaint != "" {
		t.Errorf("deleted again: %s", complaint)
	}
}

func TestWhatCannotBeDoneIsToldAndTheNextIsHeard(t *testing.T) {
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	a := newAgent(t, &workloads{running: map[string]*workload{}})
	unheardOf := &zdsapi.WorkloadRequest{}
	unheardOf.ProtoReflect().SetUnknown([]byte{15<<3 | 2, 0}) // field 15, no bytes
	cases := []struct {
		message     *zdsapi.WorkloadRequest
		descriptors []int
		complaint   string
	}{
		{added("a"), nil, "no network namespace came with it"},
		{added("a"), []int{int(file.Fd())}, "network namespace of web"},
		{unheardOf, nil, "no message of the protocol's version 1"},
		{deleted("a"), nil, ""},
	}
	for _, c := range cases {
		if got := a.tell(c.message, c.descriptors...); !strings.Contains(got, c.complaint) || (got == "") != (c.complaint == "") {
			t.Errorf("%v: %q, want %q", c.message, got, c.complaint)
		}
	}
}
