// Package calendar knows the days on which Vietnamese customers behave
// differently: the lunar new year (Tết), public holidays and pay days.
//
// # The lunar calendar
//
// Vietnam's traditional calendar is astronomical. A month begins on the day, in
// Vietnamese time (UTC+7), of a new moon; the month that holds the winter
// solstice is the eleventh; and of the thirteen months that sometimes lie
// between two eleventh months, the first in which the sun enters no new zodiac
// sign repeats the number of the one before (a leap month). [ToLunar] and
// [FromLunar] follow Hồ Ngọc Đức's published algorithm, which takes the times
// of new moons and the sun's longitude from Meeus, Astronomical Algorithms. The
// time zone matters: in 1985 Tết came a month earlier in Vietnam than in China,
// and in 2007 a day earlier.
//
// # Use
//
// [Tet] gives the first day of a lunar year, [Holidays] the public holidays of
// the Labour Code, and [Vietnam] names the class of each day for a monitor such
// as package spc: the weeks around Tết, other holidays, pay days. Days are
// civil dates; the clock and the time zone of a time.Time are ignored.
package calendar
