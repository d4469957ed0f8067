package summary

// Term is a word of the field with what it means here.
type Term struct{ Word, Meaning string }

// Glossary explains the words that a reader may not know.
func Glossary() []Term {
	return []Term{
		{"flag", "Access token blacklisting. On, the core asks its database at each verify whether the session still exists; off, a token is good until it expires."},
		{"CDI", "Core Driver Interface, the HTTP protocol between a core and the SDKs, in numbered versions."},
		{"flag mode", "Who turns the flag on. Up to CDI 2.20 the core's own setting; from CDI 2.21 each request (checkDatabase), and the setting is ignored."},
		{"profile", "A named set of checks that a core can claim, such as blacklisting."},
		{"negative control", "A call that must be accepted, made beside one that must be refused: without it a refusal would prove nothing. Here: a twin session that is not revoked, and a core with the flag off."},
		{"inconclusive", "Could not have failed: the check passed in a way that would also pass a broken core, so it counts as not tried."},
		{"linearizable", "For each session some one order of its calls explains every answer, and respects which call ended before which began."},
		{"duet", "Both variants are up at once and called in turn, so that both live through the same disturbance and the difference is theirs."},
		{"noise floor", "The same measurement with both sides alike. A difference no larger than it can be chance."},
		{"95 % interval", "If the run were repeated many times, about 95 of 100 such intervals would hold the true value."},
		{"anytime-valid", "Of an interval: it holds however often one looks, so a run may stop as soon as it has seen enough."},
		{"GOMAXPROCS", "How many processors a program written in Go uses at once."},
	}
}

// Meaning of a word of the glossary; "" for any other.
func Meaning(word string) string {
	for _, t := range Glossary() {
		if t.Word == word {
			return t.Meaning
		}
	}
	return ""
}
