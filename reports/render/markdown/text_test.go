package markdown

import "testing"

func TestTextStandsAsItIs(t *testing.T) {
	t.Parallel()
	const in = "a|b `c` *d* <e> [f](g) @h #1 http://i\n\n# j"
	const want = "a\\|b \\`c\\` \\*d\\* &lt;e&gt; \\[f\\](g) @\u200bh \\#1 http:\u200b//i \\# j"
	if got := text(in); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
