package login

import "golang.org/x/sys/windows"

// AccountSID is the SID of the account that this process runs under.
func AccountSID() (string, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return "", err
	}
	return user.User.Sid.String(), nil
}
