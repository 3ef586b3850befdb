// Package bandwidth says how fast may be sent at what time of the day, and holds those who send to it together. It knows
// nothing of what is sent, and imports nothing of ours.
//
// # Timetable
//
//	20Mbit                             always
//	08:00-17:00=20Mbit,100Mbit         from 8 to 17 o'clock 20, else 100
//	08:00-17:00=20Mbit                 else no limit
//	06:00-22:00=2.5MB/s,unlimited      the same, said
//	22:00-06:00=100Mbit,12:00-13:00=50Mbit,20Mbit
//
// Entries have commas between them. A range is of the clock on the wall where the program runs; one whose end lies before
// its beginning leads over midnight, 24:00 is the end of the day, and two must not overlap. The last entry may be without a
// range: it holds at all other times, when else nothing is limited.
//
// A rate is a number with its unit: bit, kbit, Mbit or Gbit for bits, B/s, kB/s, MB/s or GB/s for bytes, both in
// powers of ten, KiB/s, MiB/s or GiB/s in powers of two. All are for a second; "/s" may be left out, and added to the
// bits. "Mb" is refused, since some mean bits with it and others bytes. The least rate is 8kbit.
//
// # Clocks that are changed
//
// What holds is read off the wall clock anew for each piece that is sent. When clocks are put back, the hour that comes
// twice has its rate twice; of the hour that is left out nothing is missed; and a clock that is set takes effect at once.
//
// # Limiter
//
// Whoever is about to send takes a piece: what an eighth of a second allows, of 512 bytes to 64 KiB. One waits at a time,
// the others stand in line in their order, so that all are served in turn and a change of the rate waits for one piece
// alone. Time that nobody uses is lost but for a tenth of a second.
package bandwidth
