package conformance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/coreproof/coreproof/internal/history"
	"github.com/coreproof/coreproof/reports/proof"
)

// Judge saves a history, has it judged and notes both: the file, and what it says
// about immediacy.
func (t *T) Judge(ctx context.Context, h *history.History) (history.Verdict, history.Counts, error) {
	h.Sort()
	entry := proof.History{
		Check: h.Check, Protocol: t.stage.label, Operations: len(h.Operations), Sessions: h.Sessions(), Clients: h.Clients,
	}
	o := t.run.options
	if o.HistoryDir != "" {
		name := t.historyName() + ".jsonl"
		file := filepath.Join(o.HistoryDir, name)
		if err := history.Save(file, h); err != nil {
			return history.Verdict{}, history.Counts{}, err
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			return history.Verdict{}, history.Counts{}, fmt.Errorf("read the history back: %w", err)
		}
		sum := sha256.Sum256(raw)
		entry.File, entry.SHA256 = path.Join(o.HistoryPath, name), hex.EncodeToString(sum[:])
	}
	verdict, err := history.Recheck(ctx, h)
	if err != nil {
		return verdict, history.Counts{}, err
	}
	entry.Result, entry.Took = verdict.Result, verdict.Took
	counts := history.Count(h)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.histories = append(t.histories, entry)
	m := &t.immediacy
	m.Revokes += counts.Revokes
	m.Broken += counts.Broken
	m.Calls += counts.After
	m.Accepted += counts.AfterOK
	m.AcceptanceWindow = max(m.AcceptanceWindow, counts.Window)
	m.Twins += counts.Twins
	m.TwinsAccepted += counts.TwinsOK
	m.Concurrent += counts.During
	m.ConcurrentAccepted += counts.DuringOK
	return verdict, counts, nil
}

func (t *T) historyName() string { return fmt.Sprintf("%s-%s", t.check.ID, t.stage.version) }

// Draw writes a picture of one session's operations beside its history and gives
// its path relative to the proof; "" where none are saved.
func (t *T) Draw(h *history.History, handle string) (string, error) {
	o := t.run.options
	if o.HistoryDir == "" {
		return "", nil
	}
	name := fmt.Sprintf("%s-%s.html", t.historyName(), handle)
	if err := history.Draw(filepath.Join(o.HistoryDir, name), h, handle); err != nil {
		return "", err
	}
	return path.Join(o.HistoryPath, name), nil
}
