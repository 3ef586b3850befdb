# Runs in Windows PowerShell 5.1 and, with "pwsh" in place of "powershell", in PowerShell 7.
$ErrorActionPreference = 'Stop'
[Console]::OutputEncoding = [Text.UTF8Encoding]::new($false)

while ($null -ne ($line = [Console]::In.ReadLine())) {
    $record = $line | ConvertFrom-Json
    if ($record.kind -eq 'user' -and $record.login -match '\s') {
        @{
            subjects = @("user:$($record.id)")
            message  = "the login of $($record.name) is '$($record.login)': it holds a blank"
        } | ConvertTo-Json -Compress
    }
}
