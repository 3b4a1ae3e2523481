package loyalty

import (
	"fmt"
	"time"
)

var months = [...]string{
	"enero", "febrero", "marzo", "abril", "mayo", "junio",
	"julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
}

// DayInWords writes a date as es-MX says it: "21 de noviembre".
func DayInWords(t time.Time) string { return fmt.Sprintf("%d de %s", t.Day(), months[t.Month()-1]) }

// PeriodInWords writes the days from one to another, both included: "del 15 al
// 21 de noviembre", "del 28 de octubre al 3 de noviembre".
func PeriodInWords(from, to time.Time) string {
	if from.Month() == to.Month() && from.Year() == to.Year() {
		return fmt.Sprintf("del %d al %s", from.Day(), DayInWords(to))
	}
	return "del " + DayInWords(from) + " al " + DayInWords(to)
}

// Percent writes hundredths of a percent as es-MX does: 12345 is "123.45 %",
// 3000 is "30 %".
func Percent(bps int64) string {
	sign := ""
	if bps < 0 {
		sign, bps = "-", -bps
	}
	s := sign + Thousands(bps/100)
	switch f := bps % 100; {
	case f == 0:
	case f%10 == 0:
		s += fmt.Sprintf(".%d", f/10)
	default:
		s += fmt.Sprintf(".%02d", f)
	}
	return s + " %"
}
