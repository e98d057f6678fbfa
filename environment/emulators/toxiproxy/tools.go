//go:build tools

// Package toxiproxy pins the proxy whose lines tests break.
package toxiproxy

import (
	_ "github.com/Shopify/toxiproxy/v2/cmd/server"
)
