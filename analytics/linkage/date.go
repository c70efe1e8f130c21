package linkage

import (
	"strconv"
	"strings"
)

// day is a date in parts. A part that is not stated is 0; parts are not checked
// against the calendar, since 1862-13-41 is a typing error and still tells much.
type day struct{ y, m, d int16 }

var months = map[string]int16{"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12}

// parseDay reads 1990-05-31, 19900531, 31/05/1990, 31.5.1990, 31 May 1990, May
// 1990, 1990 and, with monthFirst, 05/31/1990. A time of day is ignored.
func parseDay(s string, monthFirst bool) (day, bool) {
	if t := strings.IndexByte(s, 't'); t == 10 && s[4] == '-' {
		s = s[:t]
	}
	var nums [3]int16
	var lens [3]int
	var named int16
	n, namedAt := 0, -1
	for i := 0; i < len(s) && n < 3; {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			j, v := i, 0
			for j < len(s) && s[j] >= '0' && s[j] <= '9' && j-i < 8 {
				v = v*10 + int(s[j]-'0')
				j++
			}
			if j-i >= 6 { // run together
				if n > 0 {
					return day{}, false
				}
				return runTogether(s[i:j])
			}
			if v > 9999 {
				return day{}, false
			}
			nums[n], lens[n] = int16(v), j-i
			n++
			i = j
		case c >= 'a' && c <= 'z':
			j := i
			for j < len(s) && s[j] >= 'a' && s[j] <= 'z' {
				j++
			}
			if j-i >= 3 {
				if m, ok := months[s[i:i+3]]; ok {
					named, namedAt = m, n
				}
			}
			i = j
		default:
			i++
		}
	}
	switch {
	case named > 0 && n == 2 && lens[1] == 4:
		return day{nums[1], named, nums[0]}, true
	case named > 0 && n == 2 && lens[0] == 4:
		return day{nums[0], named, nums[1]}, true
	case named > 0 && n == 1 && lens[0] == 4 && namedAt >= 0:
		return day{nums[0], named, 0}, true
	case n == 3 && lens[0] == 4:
		return day{nums[0], nums[1], nums[2]}, true
	case n == 3 && monthFirst:
		return day{century(nums[2], lens[2]), nums[0], nums[1]}, true
	case n == 3:
		return day{century(nums[2], lens[2]), nums[1], nums[0]}, true
	case n == 2 && lens[0] == 4:
		return day{nums[0], nums[1], 0}, true
	case n == 2 && lens[1] == 4:
		return day{nums[1], nums[0], 0}, true
	case n == 1 && lens[0] == 4:
		return day{y: nums[0]}, true
	}
	return day{}, false
}

func runTogether(s string) (day, bool) {
	if len(s) != 8 {
		return day{}, false
	}
	part := func(a, b int) int16 { v, _ := strconv.Atoi(s[a:b]); return int16(v) }
	y, tail := part(0, 4), part(4, 8)
	if (y < 1000 || y > 2200) && tail >= 1600 && tail <= 2200 {
		return day{tail, part(2, 4), part(0, 2)}, true
	}
	return day{y, part(4, 6), part(6, 8)}, true
}

func century(y int16, length int) int16 {
	if length > 2 {
		return y
	}
	if y > 30 {
		return 1900 + y
	}
	return 2000 + y
}

// packed writes a day with eight digits, so that slips of a finger are single edits.
func (d day) packed() string {
	var b [8]byte
	put := func(at, n int, v int16) {
		for i := n - 1; i >= 0; i-- {
			b[at+i] = byte('0' + v%10)
			v /= 10
		}
	}
	put(0, 4, d.y)
	put(4, 2, d.m)
	put(6, 2, d.d)
	return string(b[:])
}
