# Completes @name@ in PowerShell.
#   @name@ completion powershell >> $PROFILE
Register-ArgumentCompleter -Native -CommandName @name@ -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    # Both positions count from the start of the line, and what stands behind the
    # cursor is not asked about.
    $words = @($commandAst.CommandElements |
        Where-Object { $_.Extent.StartOffset -lt $cursorPosition } |
        ForEach-Object {
            if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.ToString() }
        })
    $at = $words.Count - 1
    if ($wordToComplete) {
        $words[$at] = $wordToComplete
    } else {
        # An empty word is passed on otherwise by each PowerShell; its number says
        # that there is one.
        $at++
    }
    $env:COMP_CWORD = $at
    $env:COMP_LINE = $commandAst.ToString()
    $env:COMP_POINT = $cursorPosition - $commandAst.Extent.StartOffset
    try {
        & @name@ completion -- @words 2>$null | Where-Object { $_ } | ForEach-Object {
            [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
        }
    } finally {
        Remove-Item Env:COMP_CWORD, Env:COMP_LINE, Env:COMP_POINT -ErrorAction SilentlyContinue
    }
}
