module spidercoordinator/testbed/mesh-proxy

go 1.26.0

require (
	golang.org/x/sys v0.49.0
	spidercoordinator/testbed/destination v0.0.0
)

replace spidercoordinator/testbed/destination => ../destination
