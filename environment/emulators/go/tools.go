//go:build tools

// Package servers pins the object stores that tests start on loopback.
package servers

import (
	_ "github.com/fsouza/fake-gcs-server"
	_ "github.com/versity/versitygw/cmd/versitygw"
)
