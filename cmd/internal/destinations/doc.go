// Package destinations turns --to and --from into a destination: a folder, a container of Azure Blob Storage or a bucket
// of S3. Every command that takes such a URL takes it from here, so that all understand the same, hide the same secrets
// and ask the same way what is missing before they begin.
package destinations
