package pause_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/coreproof/coreproof/internal/pause"
)

func TestPause(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, tc := range map[string]struct {
		ctx  context.Context
		wait func(context.Context) error
		want error
	}{
		"a time":                {t.Context(), func(ctx context.Context) error { return pause.For(ctx, time.Millisecond) }, nil},
		"no time":               {t.Context(), func(ctx context.Context) error { return pause.For(ctx, -time.Hour) }, nil},
		"no time, ended":        {ended, func(ctx context.Context) error { return pause.For(ctx, 0) }, context.Canceled},
		"a long time, ended":    {ended, func(ctx context.Context) error { return pause.For(ctx, time.Hour) }, context.Canceled},
		"a moment that is past": {t.Context(), func(ctx context.Context) error { return pause.Until(ctx, time.Unix(1, 0)) }, nil},
		"a moment, ended":       {ended, func(ctx context.Context) error { return pause.Until(ctx, time.Now().Add(time.Hour)) }, context.Canceled},
	} {
		if err := tc.wait(tc.ctx); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	began := time.Now()
	if err := pause.For(t.Context(), 20*time.Millisecond); err != nil || time.Since(began) < 20*time.Millisecond {
		t.Errorf("waited for %s, error %v", time.Since(began), err)
	}
}
