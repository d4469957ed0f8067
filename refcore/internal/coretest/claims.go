package coretest

var Reserved = []struct {
	Name  string
	Since string
}{
	{"sub", "2.21"}, {"exp", "2.21"}, {"iat", "2.21"}, {"sessionHandle", "2.21"}, {"refreshTokenHash1", "2.21"},
	{"parentRefreshTokenHash1", "2.21"}, {"antiCsrfToken", "2.21"}, {"tId", "3.0"}, {"rsub", "4.0"},
}
