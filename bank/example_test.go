package bank_test

import (
	"fmt"

	"omote/bank"
)

// The same seed gives the same bank; here is how it begins.
func ExampleBank_History() {
	b, err := bank.New(bank.Config{Seed: 7, Customers: 40, Months: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	n := 0
	for e := range b.History() {
		if e.Journey == "" { // records, consents, salaries
			continue
		}
		fmt.Println(e.Source, e.Name, e.Channel)
		if n++; n == 3 {
			break
		}
	}
	// Output:
	// app onboarding_started mobile_app
	// app id_document_scanned mobile_app
	// app id_chip_read mobile_app
}

// What was planted is known, and stands apart from the events.
func ExampleBank_PlanTruth() {
	b, err := bank.New(bank.Config{Seed: 1, Customers: 10})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range b.PlanTruth()[:3] {
		fmt.Println(e.ID, e.Start.Format("2006-01-02"), e.Moves[0].Lever, e.Moves[0].Size)
	}
	// Output:
	// otp_outage 2026-01-05 otp_failure 40
	// queue_failure 2026-03-21 branch_wait 2.6
	// courier_delay 2026-04-24 courier_time 2.5
}

// A plan of one's own plants what one wants to find again.
func ExampleParsePlan() {
	plan, err := bank.ParsePlan([]byte(`
effects:
- id: slow_mail
  kind: incident
  from_day: 30
  days: 14
  regions: [HN]
  truth: harms
  moves: [{lever: courier_time, size: 3}]
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := bank.New(bank.Config{Seed: 1, Customers: 10, Months: 3, Plan: plan})
	if err != nil {
		fmt.Println(err)
		return
	}
	start, end := b.Span(&plan.Effects[0])
	fmt.Println(start.Format("2 Jan 2006"), "to", end.Format("2 Jan 2006"))
	// Output: 31 Oct 2025 to 14 Nov 2025
}

// The mechanism by which answers are biased is stated.
func ExampleResponseChance() {
	for _, felt := range []float64{-2, 0, 2} {
		fmt.Printf("%+.0f sd: app %.2f, sms %.2f\n", felt, bank.ResponseChance("mobile_app", felt, 0, 30), bank.ResponseChance("sms", felt, 0, 30))
	}
	// Output:
	// -2 sd: app 0.24, sms 0.31
	// +0 sd: app 0.24, sms 0.11
	// +2 sd: app 0.57, sms 0.13
}
