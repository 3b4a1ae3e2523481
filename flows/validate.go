package flows

import "errors"

func wellFormed(d *Definition) error { return errors.Join(checkShape(d)...) }
func checkShape(*Definition) []error { return nil }
