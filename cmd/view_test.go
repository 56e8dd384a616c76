package cmd

import (
	"testing"
	"time"
)

// What npm says: node -e 'console.log(require("tiny-relative-date")(date, now))'.
func TestHowLongAgoAsNPMSaysIt(t *testing.T) {
	now := time.Date(2026, 3, 18, 12, 0, 0, 0, time.Local)
	const day = 24 * time.Hour
	for _, c := range []struct {
		before time.Duration
		want   string
	}{
		{29 * time.Second, "just now"},
		{30 * time.Second, "30 seconds ago"},
		{119 * time.Second, "a minute ago"},
		{3599 * time.Second, "59 minutes ago"},
		{2*time.Hour - time.Second, "an hour ago"},
		{day - time.Second, "23 hours ago"},
		{day + 10*time.Hour, "yesterday"},
		{day + 13*time.Hour, "2 days ago"}, // before the midnight of yesterday
		{6*day + 11*time.Hour, "6 days ago"},
		{6*day + 13*time.Hour, "a week ago"},
		{13 * day, "a week ago"},
		{29 * day, "4 weeks ago"},
		{59 * day, "a month ago"},
		{364 * day, "12 months ago"},
		{729 * day, "a year ago"},
		{730 * day, "over a year ago"},
		{-29 * time.Second, "just now"},
		{-30 * time.Second, "30 seconds from now"},
		{-day - 13*time.Hour, "tomorrow"},
		{-800 * day, "over a year from now"},
	} {
		if got := ago(now.Add(-c.before), now); got != c.want {
			t.Errorf("%v before: %q, npm says %q", c.before, got, c.want)
		}
	}
}
