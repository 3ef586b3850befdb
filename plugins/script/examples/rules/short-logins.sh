# Records are one line each and ASCII, their kind first: {"kind":"user","id":7,"login":"bo",…}
sed -n 's/^{"kind":"user","id":\([0-9]*\),"login":"\(.\{0,2\}\)",.*/{"subjects":["user:\1"],"message":"the login \2 is short"}/p'
