// Package dbmodel looks for the names of tables in DatabaseModel.ModelData, the model that a SuperOffice database holds
// of itself since 8.1.
//
// # What is known
//
// That the column holds the whole model as compressed JSON. Neither the compression nor the layout of the JSON is
// documented. So nothing here is a reading of a format: it is a search, whose find has to prove itself.
//
// # The search
//
// The bytes are tried as they are and behind up to 8 bytes (a length), each as plain text, gzip, zlib, the first entry of
// a ZIP archive and raw deflate. A form is right when what it gives is one JSON object or array to its
// end, in UTF-8 or UTF-16, with or without byte order mark, and the compression's own end and checksum are in order.
//
// In the JSON, lists of names are collected by the path they stand at. A list is what the elements of an array, or the
// members of an object, have under a key whose name contains "name" or "table", where the key of the array or object
// contains "table"; the strings of such an array itself, or the keys of such an object; and whatever stands under a key
// that contains "tablename". Letter case never matters, and "$values" (as .NET writes lists) counts as its own holder.
//
// A list is taken for the tables of the database only where it names every table that the caller knows to be in it.
// Of several the one nearest to the root counts, then the one with most names, then the first by path. Names longer than
// an identifier may be (128 characters), and those with control characters, are not names.
//
// Where no form fits, or no list proves itself, the error says what was tried; the caller is to pass that on, and not to
// take it for a model without tables.
//
// # Limits
//
// A model of up to 32 MiB, and 256 MiB of JSON, is looked at. The JSON passes through; what is held is the blob, one
// value of at most 1 MiB, and at most 100,000 different names.
package dbmodel
