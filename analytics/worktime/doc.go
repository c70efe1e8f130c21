// Package worktime counts the time in which a bank works, and the terms that laws
// and promises set in it.
//
// # Calendars
//
// A [Calendar] says when work is done: an IANA time zone, the shifts of each
// weekday (several when the day is split by a lunch break), rules for holidays,
// and single dates that differ (a make-up Saturday, a half day, a declared day of
// mourning). An instant is working time exactly when the wall clock of the zone
// shows a time inside a shift of its date. That definition needs no special case
// for daylight saving: in the night that loses an hour a round-the-clock calendar
// has 23 hours, in the other 25.
//
//	hanoi, err := worktime.New(worktime.Spec{Zone: "Asia/Ho_Chi_Minh",
//		Week:     worktime.Weekdays("08:00-12:00", "13:00-17:00"),
//		Holidays: []worktime.Rule{{Vietnam: true}}})
//	due := hanoi.Add(filed, 4*time.Hour) // four working hours later
//
// # Terms
//
// A [Term] is an amount of a unit with the conventions of the text that set it:
// whether the day of the event counts (Civil Code 2015 of Vietnam, article 147(2);
// Regulation (EEC) 1182/71, article 3(1): it does not), whether a last day without
// work rolls to the next working day (article 148(5); article 3(4)), and whether
// the last day ends at midnight or when the doors close (article 148(6): at 24:00).
// Deadlines are exclusive: the first instant at which it is too late.
//
// # Clocks
//
// A [Clock] is a term that runs in one case: started, paused, extended, swapped
// for another policy, met. It is a value; [Clock.Due] and [Clock.At] are functions
// of it and of the present, so a deadline can be recomputed and explained at any time.
package worktime
