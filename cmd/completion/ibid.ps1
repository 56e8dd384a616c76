# Completes @name@ in PowerShell.
#   @name@ completion powershell >> $PROFILE
Register-ArgumentCompleter -Native -CommandName @name@ -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | ForEach-Object { $_.ToString() })
    if ($wordToComplete -eq '') { $words += '""' }
    $env:COMP_CWORD = $words.Count - 1
    $env:COMP_LINE = $commandAst.ToString()
    $env:COMP_POINT = $cursorPosition
    try {
        & @name@ completion -- @words 2>$null | ForEach-Object {
            [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
        }
    } finally {
        Remove-Item Env:COMP_CWORD, Env:COMP_LINE, Env:COMP_POINT -ErrorAction SilentlyContinue
    }
}
