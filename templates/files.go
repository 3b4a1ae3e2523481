package templates

// Files are the links to a table as a file. The zero value draws nothing.
type Files struct {
	What string // the table's name, for who hears the links: "por tienda"
	CSV  string
	XLSX string
}
