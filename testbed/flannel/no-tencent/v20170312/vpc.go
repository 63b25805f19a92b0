// Package vpc has what flannel's backend "tencent-vpc" is compiled with, and does nothing: the testbed is in
// no such cloud, and the real client is not on every Go module proxy.
package vpc

import "errors"

var errNone = errors.New("this flannel is built without the backend tencent-vpc")

// Client is no client.
type Client struct{}

// The types of a routing table.
type (
	// Filter selects objects.
	Filter struct {
		Name   *string
		Values []*string
	}
	// Route is one of a table.
	Route struct {
		RouteId                                                 *uint64 //nolint:revive // as the client has it
		DestinationCidrBlock, GatewayId, GatewayType, RouteType *string //nolint:revive // as the client has it
		Enabled                                                 *bool
	}
	// RouteTable is a table.
	RouteTable struct {
		RouteTableId *string //nolint:revive // as the client has it
		RouteSet     []*Route
	}
	// DescribeRouteTablesRequest asks for tables.
	DescribeRouteTablesRequest struct{ Filters []*Filter }
	// DescribeRouteTablesResponse has tables.
	DescribeRouteTablesResponse struct {
		Response *struct{ RouteTableSet []*RouteTable }
	}
	// RoutesRequest changes a table.
	RoutesRequest struct {
		RouteTableId *string //nolint:revive // as the client has it
		Routes       []*Route
	}
)

// NewClientWithSecretId fails.
func NewClientWithSecretId(_, _, _ string) (*Client, error) { return &Client{}, errNone } //nolint:revive // as the client has it

// NewDescribeRouteTablesRequest makes a request.
func NewDescribeRouteTablesRequest() *DescribeRouteTablesRequest {
	return &DescribeRouteTablesRequest{}
}

// NewCreateRoutesRequest makes a request.
func NewCreateRoutesRequest() *RoutesRequest { return &RoutesRequest{} }

// NewDeleteRoutesRequest makes a request.
func NewDeleteRoutesRequest() *RoutesRequest { return &RoutesRequest{} }

// DescribeRouteTables fails.
func (*Client) DescribeRouteTables(*DescribeRouteTablesRequest) (*DescribeRouteTablesResponse, error) {
	return nil, errNone
}

// CreateRoutes fails.
func (*Client) CreateRoutes(*RoutesRequest) (struct{}, error) { return struct{}{}, errNone }

// DeleteRoutes fails.
func (*Client) DeleteRoutes(*RoutesRequest) (struct{}, error) { return struct{}{}, errNone }
