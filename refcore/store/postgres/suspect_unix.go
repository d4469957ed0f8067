//go:build unix

package postgres

import (
	"context"
	"net"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// suspect asks the socket of an idle connection, not the server, whether it is
// still good. An idle server has nothing to say: bytes to read are its farewell,
// and an end of file is its end. Only then is the connection pinged, and
// dropped if it is dead. pgx's own rule pings whatever was idle for a second,
// which makes a verify at a low rate two round trips.
func suspect(_ context.Context, p pgxpool.ShouldPingParams) bool {
	if p.IdleDuration < time.Millisecond {
		return false // busy pools need not ask
	}
	conn := p.Conn.PgConn().Conn()
	if c, ok := conn.(interface{ NetConn() net.Conn }); ok { // TLS
		conn = c.NetConn()
	}
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return p.IdleDuration > time.Second
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return true
	}
	silent := false
	var b [1]byte
	// Not raw.Read: pgx may have left a reader of its own in the background, which
	// holds the lock that Read would wait for.
	err = raw.Control(func(fd uintptr) {
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		silent = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
	})
	return err != nil || !silent
}
