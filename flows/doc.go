// Package flows holds the conversations: their definitions as data, the engine
// that steps them, and the understanding of what people write.
//
// It is pure: no clock, no randomness, no input or output. The runner carries
// out the actions a step asks for and feeds their outcomes back.
package flows
