package registry

import (
	"context"
	"net"
)

// DialWith makes connections otherwise than over the network.
func (c *Client) DialWith(dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	c.dial = dial
}
