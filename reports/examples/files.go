package examples

import (
	"bytes"
	"testing/fstest"

	"github.com/coreproof/coreproof/internal/history"
)

// Folder holds the histories of e as files, as the proof's folder does.
func (e *Example) Folder() (fstest.MapFS, error) {
	folder := fstest.MapFS{}
	for name, h := range e.Histories {
		var b bytes.Buffer
		if err := history.Write(&b, h); err != nil {
			return nil, err
		}
		folder[name] = &fstest.MapFile{Data: b.Bytes()}
	}
	return folder, nil
}
