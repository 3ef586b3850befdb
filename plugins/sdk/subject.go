package sdk

import "strconv"

// UserSubject names a user in findings and waivers: "user:7".
func UserSubject(id int64) string { return "user:" + strconv.FormatInt(id, 10) }

// TableSubject names a table: "table:associate".
func TableSubject(name string) string { return "table:" + name }

// PlanSubject names a plan: "plan:SalesPREM".
func PlanSubject(name string) string { return "plan:" + name }

// FileSubject names a file by its area and row, else by its path: "file:document:123", "file:service:config".
func FileSubject(f *File) string {
	if f.ID != 0 {
		return "file:" + f.Area + ":" + strconv.FormatInt(f.ID, 10)
	}
	return "file:" + f.Area + ":" + f.Path
}
