// Package azblob is the destination in a container of Azure Blob Storage, or in a part of one. It knows nothing of what is
// stored.
//
//	https://ACCOUNT.blob.core.windows.net/CONTAINER[/PREFIX]?SAS    any endpoint, with a shared access signature
//	azblob://CONTAINER[/PREFIX][?endpoint=URL]                      account and credential from the environment
//
// Plain http is for this machine alone (an emulator); there, and where the host is an address, the account is the first
// element of the path. azblob:// takes the account from AZURE_STORAGE_ACCOUNT and the credential from AZURE_STORAGE_KEY,
// else AZURE_STORAGE_SAS_TOKEN, else a login to Entra ID in the order of the Azure SDK: variables AZURE_TENANT_ID,
// AZURE_CLIENT_ID and so on, a workload's or a machine's identity, the Azure command line.
//
// # Uploads
//
// An object is a block blob made by Put Block and Put Block List. Blocks are of 8 MiB, sent with their MD5, which the
// service compares. A block's id has 53 bytes and says all that is to be known of it in a later process:
//
//	8   digest of name, size and SHA-256 of the object
//	1   generation, see below
//	8   offset of the block
//	4   its length
//	32  the state of SHA-256 after the bytes from the object's first to the block's last; of the last block the digest
//
// A later process asks for the uncommitted blocks, chains them from offset 0, and goes on hashing where the chain ends: what
// was accepted is neither sent nor read again, and yet Commit compares the digest of all bytes, as they were sent, with
// the object's. All blocks but the last therefore end at a multiple of 64 bytes.
//
// A complete chain with another digest is damaged; uncommitted blocks cannot be removed, so the next generation is begun
// and those are never looked at again. The service drops what was not committed with the blob, and all of it after a
// week. Two processes that send one object at once write blocks of the same ids and bytes.
//
// Create, and Commit, are create-if-absent by If-None-Match.
//
// # Credentials
//
// The SAS stands in no URL that this package hands on: it is added when a request leaves. Where the service refuses it,
// it is asked for again (Options.Again), and the request is repeated if it has changed. No error quotes a URL.
//
// Rights: read, create, write and list on the container (sp=rcwl of a SAS; the role Storage Blob Data Contributor), and
// read and list to unpack (sp=rl; Storage Blob Data Reader). The SDK's own retries and its telemetry are off.
//
// # Limits
//
// A container must exist; a SAS could not make one. An object has at most 50,000 blocks, 419 GB. Eight blocks are on
// their way at once, 64 MiB, whatever the number of workers.
package azblob
