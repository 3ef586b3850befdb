//go:build unix

// Command bench measures the commands against tar | zstd and restic on a generated archive, in one run, and prints a
// table of medians and ratios. It is what `make bench` runs after the benchmarks of the packages. Peers that are not
// there are said to be missing and their rows left out.
//
// The archive lies below the service area (files without rows), so that what is measured is packing and not SQL. All
// runs find the archive in the page cache; each writes into an empty folder.
//
// The steps size and rows take all stages of a migration through installations of growing numbers (-sizes of documents,
// each with its file of a few bytes, and a tenth of that in attachments; -rows of one table), every stage a process of
// its own, to see that neither what it costs for one document or row nor its memory grows. They work in a file system
// in a sparse image (mkfs.ext4 and mount, so as root), which is mounted anew before every stage, or else in plain
// folders, where the archive is removed before it is unpacked; the last row of a number says which. The line
// "generate" is no tool of ours: where it grows, it is the machine that has slower caches for more files. They take part
// with small numbers; -steps size,rows -sizes 100000,1000000,10000000 -rows 2000000,20000000 is the whole measurement
// and takes 30 GB and an hour or two of two processors.
//
// # Figures
//
// ext4 in a mounted image; processor time (user and system) in µs for one document, with its three rows and a tenth of an
// attachment, and the peak of memory in MiB. Two cores, quiet for 100,000 and a million, and kept busy by other work
// for ten million (eleven million files), for which wall time says nothing:
//
//	                          100,000      1,000,000     10,000,000
//	scan                      39   86      38   147      38   139
//	assign                     2   11       1    11       1    15
//	pack                     107  167     114   174     111   168
//	push                       9   27       8    28       9    30
//	verify --depth content    23  117      21   126      21   127
//	unpack                    67  106      85   118      71   119
//
// The machine's kernel had 65,536 hash buckets for all cached files, and in the first runs most of scan's system time was spent
// in them; so its unused names were dropped every 15 s. For one row of 20 million: scan 0.3 µs, pack 9.1, push 0.04,
// verify 1.6, unpack 10.3; at most 100 MiB (pack).
//
// Table export against a bare SELECT * over one connection, on two quiet cores: from SQLite 0.89 times (156,000 rows/s of
// 620,000), from Babelfish on the same two cores 0.37 times (156,000 rows/s of 3.1 million in 57 MiB; a bare SELECT * takes
// 2.2 µs of processor time for a row, packing 5.4, and the server has the rest), and of fewer rows less, since its catalog
// takes some seconds. Since then parts are settled beside the next ones and proved without making their values: of 620,000
// rows, on two cores that did much else, packing takes 4.0 s of processor time from SQLite (4.5 to 4.7 before; a bare SELECT *
// 3.3 to 3.6), and 2.5 s from Babelfish (3.1 to 3.4 before; 1.2 to 1.7). With the row digests that a cut-over needs, on two
// quiet cores: from SQLite 0.87 times (152,000 rows/s of 620,000); from Babelfish on the same cores, of 1.86 million rows,
// a bare SELECT * 4.6 s, the rows in omt-pack 5.9 to 7.0 s (0.65 to 0.77 times) and the whole command 10.5 s (0.44), since
// Babelfish's catalog takes more than 2 s before the first row. A server on a machine of its own was not measured.
//
// # Transfer
//
// TestTransfer brings the same tree to Azurite and versitygw through one relay, which counts what comes over the wire (heads
// included) and requests: omt-push what omt-pack made of it, rclone (Debian's 1.60.1) and azcopy (10.32.2, from npm; it needs
// libsecret-1-0) file by file, all with four at once. 4,000 files, 197 MB, packed as 150 MB in 1.3 s (2.1 s of processor), and
// again without a change in 0.4 s; two quiet cores, which the services used too:
//
//	                        wall s  CPU s  MiB  wire MB  requests  sent again after kill -9 at half  no change: wall s, requests
//	omt-push, Azurite          1.5    0.8   87    150.9       195       12.5 MB                         0.11      13
//	rclone, Azurite           23.6    4.9   87    204.5    12,001        1.1 MB                         8.21   3,885
//	azcopy, Azurite           34.1   32.9  414    201.7     8,001        0.1 MB                        14.65   3,886
//	omt-push, versitygw        0.7    0.5   48    150.9       129       85.4 MB                         0.10      14
//	rclone, versitygw          7.9    5.1   60    201.8     8,002        0.3 MB                         4.50   7,886
//
// What omt-push sends again does not grow with the whole: at most a block of 8 MiB for each of four workers on Azure, a chunk
// for each on S3 (here the tree makes seven chunks of files, so four of them are more than half of it). azcopy goes on with "jobs resume", and
// looks for changes with "sync". As a share of 3 GB (TestResumeFigures in internal/e2e, four workers, killed with kill -9
// at half, chunks of the largest sizes that are packed):
//
//	                               sent again
//	Azurite, blocks of 8 MiB         8.4 MB   0.28 %
//	the same, journal lost           9.9 MB   0.33 %
//	versitygw, chunks of 32 MiB     98.2 MB   3.29 %   (journal lost)
//	versitygw, parts of 16 MiB      14.5 MB   0.49 %
//
// and no request named a chunk that was there. TestCloudKill there, with 200 kills at random moments: over Azurite 558 runs
// in 191 rounds, over versitygw 313 in 106, each round compared with a push that was never killed.
//
// TestListing pushes a manifest of 100,000 chunks that are all there, with an empty journal, on two cores with a load of 36:
// versitygw in 201 pages for both listings, 39.0 s, 7.9 s of processor, 111 MiB at most; a stub that answers listings in
// Azure's pages of 5,000, before Azurite, in 40 pages, 20.3 s, 5.2 s of processor, 114 MiB. No request names a chunk.
// Azurite itself, with records of 100,000 blobs put into its database (each upload takes it longer than the one before), all on
// one core: 40 pages, 41 s, 10.5 s of processor, 137 MiB.
package main
