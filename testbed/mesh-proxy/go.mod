module spidercoordinator/testbed/mesh-proxy

go 1.26.0

require (
	github.com/containernetworking/plugins v1.9.1
	golang.org/x/sys v0.49.0
	google.golang.org/protobuf v1.36.12-0.20260120151049-f2248ac996af
	istio.io/istio v0.0.0-20260827124520-eed52ebb66ad
	spidercoordinator/testbed/destination v0.0.0
)

replace spidercoordinator/testbed/destination => ../destination
