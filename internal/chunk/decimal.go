package chunk

import (
	"encoding/binary"
	"math/big"
	"math/bits"
	"strconv"
	"strings"
)

// int128 is a decimal without its point, in two's complement. SQL Server's 38 digits fit.
type int128 struct {
	hi int64
	lo uint64
}

func (n int128) append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(n.hi))
	return binary.BigEndian.AppendUint64(dst, n.lo)
}

// decimalOf reads what append writes.
func decimalOf(b []byte) int128 {
	return int128{int64(binary.BigEndian.Uint64(b)), binary.BigEndian.Uint64(b[8:])}
}

func (n int128) neg() int128 {
	lo, borrow := bits.Sub64(0, n.lo, 0)
	hi, _ := bits.Sub64(0, uint64(n.hi), borrow)
	return int128{int64(hi), lo}
}

// abs returns the magnitude as an unsigned number.
func (n int128) abs() (hi, lo uint64) {
	if n.hi < 0 {
		n = n.neg()
	}
	return uint64(n.hi), n.lo
}

// parseDecimal reads the canonical text of a decimal: exactly scale digits after the point (no point with scale 0), at
// least one before it and no more zeros than that, "-" for negatives, at most precision digits, and no negative zero.
func parseDecimal(s string, precision, scale int) (int128, bool) {
	text, negative := strings.CutPrefix(s, "-")
	whole, frac := text, ""
	if scale > 0 {
		if len(text) < scale+2 || text[len(text)-scale-1] != '.' {
			return int128{}, false
		}
		whole, frac = text[:len(text)-scale-1], text[len(text)-scale:]
	}
	digits := len(whole) + len(frac)
	if whole == "" || whole[0] == '0' && len(whole) > 1 {
		return int128{}, false
	}
	if whole == "0" {
		digits = len(frac)
	}
	if digits > precision || precision > 38 {
		return int128{}, false
	}
	var hi, lo uint64
	for _, part := range [2]string{whole, frac} {
		for i := range len(part) {
			d := part[i] - '0'
			if d > 9 {
				return int128{}, false
			}
			carry, low := bits.Mul64(lo, 10)
			var c uint64
			lo, c = bits.Add64(low, uint64(d), 0)
			hi = hi*10 + carry + c
		}
	}
	n := int128{int64(hi), lo}
	if !negative {
		return n, true
	}
	return n.neg(), hi|lo != 0
}

// format is the inverse of parseDecimal.
func (n int128) format(scale int) string {
	hi, lo := n.abs()
	var digits string
	if hi == 0 {
		digits = strconv.FormatUint(lo, 10)
	} else {
		b := new(big.Int).SetUint64(hi)
		b.Lsh(b, 64)
		digits = b.Or(b, new(big.Int).SetUint64(lo)).String()
	}
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	sign := ""
	if n.hi < 0 {
		sign = "-"
	}
	if scale == 0 {
		return sign + digits
	}
	point := len(digits) - scale
	return sign + digits[:point] + "." + digits[point:]
}

// below reports whether a number has at most precision digits, if those are few: of numbers with more than 19 digits it
// says that they are too long.
func (n int128) below(precision int) bool {
	hi, lo := n.abs()
	limit := uint64(1)
	for range min(precision, 19) {
		limit *= 10
	}
	return hi == 0 && lo < limit
}

// fits reports whether the number has at most precision digits.
func (n int128) fits(precision int) bool {
	if precision < 1 || precision > 38 {
		return false
	}
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(precision)), nil)
	hi, lo := n.abs()
	b := new(big.Int).SetUint64(hi)
	b.Lsh(b, 64)
	return b.Or(b, new(big.Int).SetUint64(lo)).Cmp(limit) < 0
}
