package cores

import "context"

// Outage is how cores lose their database.
type Outage string

const (
	// Refused: connections are reset, and new ones too.
	Refused Outage = "refused"
	// Silent: connections stay and carry nothing, and new ones get no answer.
	Silent Outage = "silent"
	// Locked: the database's file is locked against everybody.
	Locked Outage = "locked"
)

// Way leads from cores to their database and can be broken off. It is not safe for
// concurrent use.
type Way interface {
	// Outages that it can have, at least one.
	Outages() []Outage
	// Break has an outage begin; it has begun when Break returns.
	Break(ctx context.Context, o Outage) error
	// Mend ends the outage, if there is one.
	Mend(ctx context.Context) error
}

// Divided is one new, empty database that some cores can lose.
type Divided struct {
	// Cut starts cores that reach the database by Way.
	Cut Target
	// Whole starts cores that keep it whatever becomes of Way; nil where none can.
	Whole Target
	Way   Way
}
