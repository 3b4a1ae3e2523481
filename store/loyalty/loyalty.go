// Package loyalty is the domain of Qoa: its nouns, its rules and its errors.
//
// Everything here is a pure value or a pure function: no database, no network,
// no clock and no randomness but what is passed in. It imports the standard
// library only, so that rules can be tested by tables and read by anyone.
package loyalty
