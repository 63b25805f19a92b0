package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"
	"istio.io/istio/pkg/zdsapi"
)

// A node's proxy takes the place of ztunnel: Istio's node agent hands it the network namespaces of
// the pods that it enrolled (pkg/zdsapi/zds.proto of Istio's module: one message a packet, the
// descriptor of a namespace beside it, each message acknowledged before the next).

// largestMessage is more than the agent ever sends: names and a UID.
const largestMessage = 4096

// retryPause is between two attempts to reach an agent that is not there yet, or restarts.
const retryPause = 500 * time.Millisecond

func runNode(arguments []string) error {
	served := workloads{template: proxy{kind: kinds["ambient"]}, running: map[string]*workload{}}
	flags := flag.NewFlagSet("node", flag.ContinueOnError)
	socket := flags.String("socket", "/var/run/ztunnel/ztunnel.sock", "the node agent's socket")
	flags.Func("peers", "range of pods that are reached by tunnel", served.template.addPeers)
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	for {
		// Its pods are served on meanwhile.
		fmt.Fprintf(os.Stderr, "node agent at %s: %v\n", *socket, followAgent(*socket, &served))
		time.Sleep(retryPause)
	}
}

// followAgent does what the agent says until the connection ends.
func followAgent(socket string, served *workloads) error {
	agent, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: socket, Net: "unixpacket"})
	if err != nil {
		return err
	}
	defer agent.Close()
	if err := send(agent, &zdsapi.ZdsHello{Version: zdsapi.Version_V1}); err != nil {
		return err
	}
	var snapshot []string
	for {
		request, descriptor, err := receive(agent)
		if err != nil {
			return err
		}
		ack := &zdsapi.Ack{}
		if err := carryOut(request, descriptor, served, &snapshot); err != nil {
			ack.Error = err.Error()
			fmt.Fprintf(os.Stderr, "%v: %v\n", request, err)
		}
		response := &zdsapi.WorkloadResponse{Payload: &zdsapi.WorkloadResponse_Ack{Ack: ack}}
		if err := send(agent, response); err != nil {
			return err
		}
	}
}

// carryOut obeys one message. Until a snapshot's end it notes which pods are in it.
func carryOut(request *zdsapi.WorkloadRequest, descriptor int, served *workloads, snapshot *[]string) error {
	switch payload := request.GetPayload().(type) {
	case *zdsapi.WorkloadRequest_Add:
		*snapshot = append(*snapshot, payload.Add.GetUid())
		if descriptor < 0 {
			return errors.New("no network namespace came with it")
		}
		return served.add(payload.Add.GetUid(), payload.Add.GetWorkloadInfo().GetName(), descriptor)
	case *zdsapi.WorkloadRequest_Keep:
		*snapshot = append(*snapshot, payload.Keep.GetUid())
		return nil
	case *zdsapi.WorkloadRequest_Del:
		return served.remove(payload.Del.GetUid())
	case *zdsapi.WorkloadRequest_SnapshotSent:
		return served.keep(*snapshot)
	}
	return errors.New("no message of the protocol's version 1")
}

func send(agent *net.UnixConn, message proto.Message) error {
	raw, err := proto.Marshal(message)
	if err != nil {
		return err
	}
	_, err = agent.Write(raw)
	return err
}

// receive reads one message and the descriptor that came with it, -1 if none did.
func receive(agent *net.UnixConn) (*zdsapi.WorkloadRequest, int, error) {
	raw, rights := make([]byte, largestMessage), make([]byte, unix.CmsgSpace(4))
	size, rightsSize, flags, _, err := agent.ReadMsgUnix(raw, rights)
	if err != nil {
		return nil, -1, err
	}
	descriptor, err := descriptorIn(rights[:rightsSize])
	switch {
	case err != nil:
		return nil, -1, err
	case flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0:
		return nil, -1, fmt.Errorf("a message of more than %d bytes, or with more than one descriptor", largestMessage)
	case size == 0:
		return nil, -1, io.EOF
	}
	request := &zdsapi.WorkloadRequest{}
	return request, descriptor, proto.Unmarshal(raw[:size], request)
}

func descriptorIn(rights []byte) (int, error) {
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil || len(messages) == 0 {
		return -1, err
	}
	descriptors, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(descriptors) == 0 {
		return -1, err
	}
	return descriptors[0], nil
}
