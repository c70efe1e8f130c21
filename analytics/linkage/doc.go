// Package linkage finds the records that are of one person: within a file,
// between files, and for a new record among a million known ones.
//
// It is the model of Fellegi and Sunter (1969) in a form that needs no examples
// and no tuning. For a newcomer, in the order in which things happen:
//
//   - A Table holds records by column (table.go, csv.go). What a column holds, its
//     Kind, is inferred from its name and values (infer.go) or said in Settings.
//     A column that repeats the words of others is reduced to what it adds, so
//     that nothing is counted twice (dataset.go).
//   - Two values of a kind agree at one of a few levels, from "different" to
//     "equal", with typing errors, nicknames, exchanged fields and dates, missing
//     marks and word order in between (kind.go, field.go, distance.go, date.go,
//     names.go). A missing value says nothing either way.
//   - Comparing all pairs of records would take forever. Rules such as "same sound
//     of the family name and same birth place" bring likely pairs together; which
//     rules is decided from how selective each is and which likely matches it
//     would find alone (block.go, train.go). Result.Rules reports what each found.
//   - How telling a level is, its weight, is log2(M/U): how often it occurs among
//     records of one person over how often among strangers. U is measured on
//     random pairs, M by expectation and maximisation over the patterns in which
//     pairs of several rules agree (em.go). Agreement on a rare value tells more
//     than on a common one (model.go).
//   - Pairs with evidence make a graph whose connected components over-merge: A is
//     like B and B like C. Clusters grow from the strongest pair down instead, and
//     each step compares all that both sides know (cluster.go).
//   - With first clusters at hand, what had to be assumed is measured: values are
//     counted by person, M within persons, which fields agree together among
//     strangers, and what it means that two groups of records disagree (second.go).
//     Then all is weighed and grouped once more.
//   - The threshold is the probability at which the expected F1 is highest; with
//     answers of a steward, Calibrate corrects the probabilities (threshold.go).
//
// Result.Model can be saved and read again as JSON. The same input, options and
// seed give the same result on any number of cores.
package linkage
