	.file	"<string>"
	.section	.ltext,"axl",@progbits
	.globl	_ZN8__main__4prodB2v1B52c8tJTIeFIjxB2IKSgI4CrvQClUaPLJhwEUwBUooBi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE
	.p2align	4
	.type	_ZN8__main__4prodB2v1B52c8tJTIeFIjxB2IKSgI4CrvQClUaPLJhwEUwBUooBi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE,@function
_ZN8__main__4prodB2v1B52c8tJTIeFIjxB2IKSgI4CrvQClUaPLJhwEUwBUooBi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE:
	.cfi_startproc
	pushq	%rbp
	.cfi_def_cfa_offset 16
	pushq	%r15
	.cfi_def_cfa_offset 24
	pushq	%r14
	.cfi_def_cfa_offset 32
	pushq	%r13
	.cfi_def_cfa_offset 40
	pushq	%r12
	.cfi_def_cfa_offset 48
	pushq	%rbx
	.cfi_def_cfa_offset 56
	subq	$248, %rsp
	.cfi_def_cfa_offset 304
	.cfi_offset %rbx, -56
	.cfi_offset %r12, -48
	.cfi_offset %r13, -40
	.cfi_offset %r14, -32
	.cfi_offset %r15, -24
	.cfi_offset %rbp, -16
	movq	%r9, 232(%rsp)
	movq	%r8, %r12
	movq	%rcx, %r15
	movq	%rdx, %rbx
	movq	%rsi, 216(%rsp)
	movq	%rdi, 224(%rsp)
	movq	440(%rsp), %rbp
	movq	352(%rsp), %r13
	movq	$0, 208(%rsp)
	movabsq	$NRT_incref, %r14
	movq	%rcx, %rdi
	callq	*%r14
	movq	%r13, %rdi
	callq	*%r14
	movq	%rbp, %rdi
	callq	*%r14
	movq	$0, 240(%rsp)
	vmovups	480(%rsp), %ymm0
	vmovups	%ymm0, 176(%rsp)
	vmovups	448(%rsp), %ymm0
	vmovups	%ymm0, 144(%rsp)
	movq	%rbp, 136(%rsp)
	vmovups	424(%rsp), %xmm0
	vmovups	%xmm0, 120(%rsp)
	vmovups	392(%rsp), %ymm0
	vmovups	%ymm0, 88(%rsp)
	vmovups	360(%rsp), %ymm0
	vmovups	%ymm0, 56(%rsp)
	movq	%r13, 48(%rsp)
	vmovaps	336(%rsp), %xmm0
	vmovups	%xmm0, 32(%rsp)
	vmovups	304(%rsp), %ymm0
	vmovups	%ymm0, (%rsp)
	movabsq	$_ZN6vaezip5exact9product169product16B2v2B60c8tJTIeFIjxB2IKSgI4CrvQClUaPLCRhSLpAEkCNa6gEUooCi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE, %rax
	leaq	240(%rsp), %rdi
	leaq	208(%rsp), %rsi
	movq	%rbx, %rdx
	movq	%r15, %rcx
	movq	%r12, %r8
	movq	232(%rsp), %r9
	vzeroupper
	callq	*%rax
	cmpl	$-2, %eax
	je	.LBB0_2
	testl	%eax, %eax
	jne	.LBB0_4
.LBB0_2:
	movabsq	$NRT_decref, %rbx
	movq	%r15, %rdi
	callq	*%rbx
	movq	%r13, %rdi
	callq	*%rbx
	movq	%rbp, %rdi
	callq	*%rbx
	movq	224(%rsp), %rax
	movq	$0, (%rax)
	xorl	%eax, %eax
.LBB0_3:
	addq	$248, %rsp
	.cfi_def_cfa_offset 56
	popq	%rbx
	.cfi_def_cfa_offset 48
	popq	%r12
	.cfi_def_cfa_offset 40
	popq	%r13
	.cfi_def_cfa_offset 32
	popq	%r14
	.cfi_def_cfa_offset 24
	popq	%r15
	.cfi_def_cfa_offset 16
	popq	%rbp
	.cfi_def_cfa_offset 8
	retq
.LBB0_4:
	.cfi_def_cfa_offset 304
	movq	208(%rsp), %rcx
	movq	216(%rsp), %rdx
	movq	%rcx, (%rdx)
	jmp	.LBB0_3
.Lfunc_end0:
	.size	_ZN8__main__4prodB2v1B52c8tJTIeFIjxB2IKSgI4CrvQClUaPLJhwEUwBUooBi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE, .Lfunc_end0-_ZN8__main__4prodB2v1B52c8tJTIeFIjxB2IKSgI4CrvQClUaPLJhwEUwBUooBi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE
	.cfi_endproc

	.globl	_ZN7cpython8__main__4prodB2v1B52c8tJTIeFIjxB2IKSgI4CrvQClUaPLJhwEUwBUooBi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE
	.p2align	4
	.type	_ZN7cpython8__main__4prodB2v1B52c8tJTIeFIjxB2IKSgI4CrvQClUaPLJhwEUwBUooBi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE,@function
_ZN7cpython8__main__4prodB2v1B52c8tJTIeFIjxB2IKSgI4CrvQClUaPLJhwEUwBUooBi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE:
	.cfi_startproc
	pushq	%rbp
	.cfi_def_cfa_offset 16
	pushq	%r15
	.cfi_def_cfa_offset 24
	pushq	%r14
	.cfi_def_cfa_offset 32
	pushq	%r13
	.cfi_def_cfa_offset 40
	pushq	%r12
	.cfi_def_cfa_offset 48
	pushq	%rbx
	.cfi_def_cfa_offset 56
	subq	$712, %rsp
	.cfi_def_cfa_offset 768
	.cfi_offset %rbx, -56
	.cfi_offset %r12, -48
	.cfi_offset %r13, -40
	.cfi_offset %r14, -32
	.cfi_offset %r15, -24
	.cfi_offset %rbp, -16
	movq	%rsi, %rdi
	leaq	352(%rsp), %rax
	movq	%rax, 8(%rsp)
	leaq	360(%rsp), %rax
	movq	%rax, (%rsp)
	movabsq	$.const.prod, %rsi
	movabsq	$PyArg_UnpackTuple, %r10
	xorl	%ebx, %ebx
	leaq	376(%rsp), %r8
	leaq	368(%rsp), %r9
	movl	$4, %edx
	movl	$4, %ecx
	xorl	%eax, %eax
	callq	*%r10
	vxorps	%xmm0, %xmm0, %xmm0
	vmovups	%ymm0, 560(%rsp)
	vmovups	%ymm0, 592(%rsp)
	movq	$0, 624(%rsp)
	movq	$0, 224(%rsp)
	testl	%eax, %eax
	je	.LBB1_12
	movabsq	$_ZN08NumbaEnv8__main__4prodB2v1B52c8tJTIeFIjxB2IKSgI4CrvQClUaPLJhwEUwBUooBi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE, %rax
	cmpq	$0, (%rax)
	je	.LBB1_17
	movq	376(%rsp), %rdi
	movabsq	$PyNumber_Long, %rax
	vzeroupper
	callq	*%rax
	testq	%rax, %rax
	je	.LBB1_19
	movq	%rax, %rbx
	movabsq	$PyLong_AsLongLong, %rax
	movq	%rbx, %rdi
	callq	*%rax
	movq	%rax, %r15
	movabsq	$Py_DecRef, %rax
	movq	%rbx, %rdi
	callq	*%rax
	movabsq	$PyErr_Occurred, %rax
	callq	*%rax
	testq	%rax, %rax
	jne	.LBB1_20
.LBB1_4:
	vxorps	%xmm0, %xmm0, %xmm0
	vmovups	%ymm0, 384(%rsp)
	movq	368(%rsp), %rdi
	vmovups	%ymm0, 416(%rsp)
	movq	$0, 448(%rsp)
	movabsq	$NRT_adapt_ndarray_from_python, %rbx
	leaq	384(%rsp), %rsi
	vzeroupper
	callq	*%rbx
	cmpq	$2, 408(%rsp)
	setne	%cl
	testl	%eax, %eax
	setne	%bpl
	orb	%cl, %bpl
	cmpb	$1, %bpl
	je	.LBB1_21
	testb	%bpl, %bpl
	jne	.LBB1_20
.LBB1_6:
	movq	384(%rsp), %r14
	movq	392(%rsp), %r12
	movq	400(%rsp), %r13
	movq	416(%rsp), %rax
	movq	%rax, 344(%rsp)
	movq	424(%rsp), %rax
	movq	%rax, 336(%rsp)
	movq	432(%rsp), %rax
	movq	%rax, 328(%rsp)
	movq	440(%rsp), %rax
	movq	%rax, 320(%rsp)
	movq	448(%rsp), %rax
	movq	%rax, 312(%rsp)
	movq	360(%rsp), %rdi
	vxorps	%xmm0, %xmm0, %xmm0
	vmovups	%ymm0, 464(%rsp)
	vmovups	%ymm0, 496(%rsp)
	vmovups	%ymm0, 520(%rsp)
	leaq	464(%rsp), %rsi
	vzeroupper
	callq	*%rbx
	cmpq	$2, 488(%rsp)
	setne	%cl
	testl	%eax, %eax
	setne	%bpl
	orb	%cl, %bpl
	jne	.LBB1_23
	testb	%bpl, %bpl
	jne	.LBB1_25
.LBB1_8:
	movq	%r13, 296(%rsp)
	movq	%r12, 304(%rsp)
	movq	%r14, 216(%rsp)
	movq	464(%rsp), %r13
	movq	472(%rsp), %rbp
	movq	480(%rsp), %r14
	movq	496(%rsp), %rax
	movq	%rax, 288(%rsp)
	movq	504(%rsp), %rax
	movq	%rax, 280(%rsp)
	movq	512(%rsp), %rax
	movq	%rax, 272(%rsp)
	movq	520(%rsp), %rax
	movq	%rax, 264(%rsp)
	movq	528(%rsp), %rax
	movq	%rax, 256(%rsp)
	movq	536(%rsp), %rax
	movq	%rax, 248(%rsp)
	movq	544(%rsp), %r12
	vxorps	%xmm0, %xmm0, %xmm0
	vmovups	%ymm0, 560(%rsp)
	movq	352(%rsp), %rdi
	vmovups	%ymm0, 592(%rsp)
	movq	$0, 624(%rsp)
	leaq	560(%rsp), %rsi
	vzeroupper
	callq	*%rbx
	testl	%eax, %eax
	jne	.LBB1_24
	cmpq	$4, 584(%rsp)
	jne	.LBB1_24
	movq	560(%rsp), %rbx
	vmovups	568(%rsp), %xmm0
	vmovaps	%xmm0, 640(%rsp)
	vmovups	592(%rsp), %ymm0
	vmovups	%ymm0, 672(%rsp)
	movq	%r15, 232(%rsp)
	movq	624(%rsp), %r15
	movabsq	$PyEval_SaveThread, %rax
	vzeroupper
	callq	*%rax
	movq	%rax, 240(%rsp)
	movq	%r15, 200(%rsp)
	vmovups	672(%rsp), %ymm0
	vmovups	%ymm0, 168(%rsp)
	vmovaps	640(%rsp), %xmm0
	vmovups	%xmm0, 144(%rsp)
	movq	%r12, 128(%rsp)
	movq	248(%rsp), %rax
	movq	%rax, 120(%rsp)
	movq	256(%rsp), %rax
	movq	%rax, 112(%rsp)
	movq	264(%rsp), %rax
	movq	%rax, 104(%rsp)
	movq	272(%rsp), %rax
	movq	%rax, 96(%rsp)
	movq	280(%rsp), %rax
	movq	%rax, 88(%rsp)
	movq	288(%rsp), %rax
	movq	%rax, 80(%rsp)
	movq	%r14, 64(%rsp)
	movq	%rbp, 56(%rsp)
	movq	312(%rsp), %rax
	movq	%rax, 40(%rsp)
	movq	320(%rsp), %rax
	movq	%rax, 32(%rsp)
	movq	%rbx, %rbp
	movq	%rbx, 136(%rsp)
	movq	%r13, 48(%rsp)
	movq	328(%rsp), %rax
	movq	%rax, 24(%rsp)
	movq	336(%rsp), %rax
	movq	%rax, 16(%rsp)
	movq	344(%rsp), %rax
	movq	%rax, 8(%rsp)
	movq	$4, 160(%rsp)
	movq	$2, 72(%rsp)
	movq	$2, (%rsp)
	movabsq	$_ZN8__main__4prodB2v1B52c8tJTIeFIjxB2IKSgI4CrvQClUaPLJhwEUwBUooBi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE, %rax
	leaq	664(%rsp), %rdi
	leaq	224(%rsp), %rsi
	movq	232(%rsp), %rdx
	movq	304(%rsp), %r8
	movq	296(%rsp), %r9
	movq	216(%rsp), %r14
	movq	%r14, %rcx
	vzeroupper
	callq	*%rax
	movl	%eax, %r12d
	movq	224(%rsp), %r15
	movabsq	$PyEval_RestoreThread, %rax
	movq	240(%rsp), %rdi
	callq	*%rax
	movabsq	$NRT_decref, %rbx
	movq	%r14, %rdi
	callq	*%rbx
	movq	%r13, %rdi
	callq	*%rbx
	movq	%rbp, %rdi
	callq	*%rbx
	testl	%r12d, %r12d
	jne	.LBB1_13
	movabsq	$_Py_NoneStruct, %rbx
	movabsq	$Py_IncRef, %rax
	movq	%rbx, %rdi
	callq	*%rax
.LBB1_12:
	movq	%rbx, %rax
	addq	$712, %rsp
	.cfi_def_cfa_offset 56
	popq	%rbx
	.cfi_def_cfa_offset 48
	popq	%r12
	.cfi_def_cfa_offset 40
	popq	%r13
	.cfi_def_cfa_offset 32
	popq	%r14
	.cfi_def_cfa_offset 24
	popq	%r15
	.cfi_def_cfa_offset 16
	popq	%rbp
	.cfi_def_cfa_offset 8
	vzeroupper
	retq
.LBB1_13:
	.cfi_def_cfa_offset 768
	jle	.LBB1_26
	movabsq	$PyErr_Clear, %rax
	callq	*%rax
	movl	8(%r15), %esi
	movq	(%r15), %rdi
	cmpl	$0, 32(%r15)
	jle	.LBB1_29
	movslq	%esi, %rsi
	movabsq	$PyBytes_FromStringAndSize, %rax
	callq	*%rax
	movq	%rax, %rbx
	movq	16(%r15), %rdi
	callq	*24(%r15)
	testq	%rax, %rax
	je	.LBB1_36
	movabsq	$numba_runtime_build_excinfo_struct, %rcx
	movq	%rbx, %rdi
	movq	%rax, %rsi
	callq	*%rcx
	movq	%rax, %rbx
	movabsq	$NRT_Free, %rax
	movq	%r15, %rdi
	callq	*%rax
	jmp	.LBB1_30
.LBB1_17:
	movabsq	$PyExc_RuntimeError, %rdi
	movabsq	$".const.missing Environment: _ZN08NumbaEnv8__main__4prodB2v1B52c8tJTIeFIjxB2IKSgI4CrvQClUaPLJhwEUwBUooBi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE", %rsi
.LBB1_18:
	movabsq	$PyErr_SetString, %rax
	vzeroupper
	callq	*%rax
	xorl	%ebx, %ebx
	jmp	.LBB1_12
.LBB1_19:
	xorl	%r15d, %r15d
	movabsq	$PyErr_Occurred, %rax
	callq	*%rax
	testq	%rax, %rax
	je	.LBB1_4
	jmp	.LBB1_20
.LBB1_21:
	movabsq	$PyExc_TypeError, %rdi
	movabsq	$".const.can't unbox array from PyObject into native value.  The object maybe of a different type", %rsi
	movabsq	$PyErr_SetString, %rax
	callq	*%rax
	testb	%bpl, %bpl
	je	.LBB1_6
	jmp	.LBB1_20
.LBB1_23:
	movabsq	$PyExc_TypeError, %rdi
	movabsq	$".const.can't unbox array from PyObject into native value.  The object maybe of a different type", %rsi
	movabsq	$PyErr_SetString, %rax
	callq	*%rax
	testb	%bpl, %bpl
	je	.LBB1_8
	jmp	.LBB1_25
.LBB1_24:
	movabsq	$PyExc_TypeError, %rdi
	movabsq	$".const.can't unbox array from PyObject into native value.  The object maybe of a different type", %rsi
	movabsq	$PyErr_SetString, %rax
	callq	*%rax
	movabsq	$NRT_decref, %rax
	movq	%r13, %rdi
	callq	*%rax
	movq	216(%rsp), %r14
.LBB1_25:
	movabsq	$NRT_decref, %rax
	movq	%r14, %rdi
	jmp	.LBB1_32
.LBB1_26:
	cmpl	$-3, %r12d
	je	.LBB1_33
	cmpl	$-1, %r12d
	jne	.LBB1_34
.LBB1_20:
	xorl	%ebx, %ebx
	jmp	.LBB1_12
.LBB1_29:
	movq	16(%r15), %rdx
	movabsq	$numba_unpickle, %rax
	callq	*%rax
	movq	%rax, %rbx
.LBB1_30:
	testq	%rbx, %rbx
	je	.LBB1_20
	movabsq	$numba_do_raise, %rax
	movq	%rbx, %rdi
.LBB1_32:
	callq	*%rax
	xorl	%ebx, %ebx
	jmp	.LBB1_12
.LBB1_33:
	movabsq	$PyExc_StopIteration, %rdi
	movabsq	$PyErr_SetNone, %rax
	jmp	.LBB1_32
.LBB1_34:
	movabsq	$PyExc_SystemError, %rdi
	movabsq	$".const.unknown error when calling native function", %rsi
	jmp	.LBB1_18
.LBB1_36:
	movabsq	$PyExc_RuntimeError, %rdi
	movabsq	$".const.Error creating Python tuple from runtime exception arguments", %rsi
	jmp	.LBB1_18
.Lfunc_end1:
	.size	_ZN7cpython8__main__4prodB2v1B52c8tJTIeFIjxB2IKSgI4CrvQClUaPLJhwEUwBUooBi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE, .Lfunc_end1-_ZN7cpython8__main__4prodB2v1B52c8tJTIeFIjxB2IKSgI4CrvQClUaPLJhwEUwBUooBi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE
	.cfi_endproc

	.weak	_ZN6vaezip5exact9product169product16B2v2B60c8tJTIeFIjxB2IKSgI4CrvQClUaPLCRhSLpAEkCNa6gEUooCi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE
	.p2align	4
	.type	_ZN6vaezip5exact9product169product16B2v2B60c8tJTIeFIjxB2IKSgI4CrvQClUaPLCRhSLpAEkCNa6gEUooCi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE,@function
_ZN6vaezip5exact9product169product16B2v2B60c8tJTIeFIjxB2IKSgI4CrvQClUaPLCRhSLpAEkCNa6gEUooCi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE:
	.cfi_startproc
	pushq	%rbp
	.cfi_def_cfa_offset 16
	pushq	%r15
	.cfi_def_cfa_offset 24
	pushq	%r14
	.cfi_def_cfa_offset 32
	pushq	%r13
	.cfi_def_cfa_offset 40
	pushq	%r12
	.cfi_def_cfa_offset 48
	pushq	%rbx
	.cfi_def_cfa_offset 56
	.cfi_offset %rbx, -56
	.cfi_offset %r12, -48
	.cfi_offset %r13, -40
	.cfi_offset %r14, -32
	.cfi_offset %r15, -24
	.cfi_offset %rbp, -16
	movq	248(%rsp), %rax
	movq	%rax, -48(%rsp)
	movq	168(%rsp), %rsi
	movq	152(%rsp), %r11
	movq	144(%rsp), %r14
	movq	88(%rsp), %r8
	movq	64(%rsp), %r9
	cmpq	$3, %rdx
	movq	%rdi, -40(%rsp)
	jge	.LBB2_14
	movl	%r11d, %edx
	andl	$31, %edx
	cmpq	$32, %r11
	movl	$31, %r10d
	cmovgeq	%r11, %r10
	shrq	$5, %r10
	je	.LBB2_6
	leaq	(%r9,%r8), %rdi
	movq	224(%rsp), %rcx
	leaq	(%rcx,%rax), %rbx
	cmpq	$2, %r14
	movl	$1, %r15d
	cmovgeq	%r14, %r15
	movq	136(%rsp), %rax
	leaq	64(%rax), %r12
	xorl	%ecx, %ecx
	.p2align	4
.LBB2_3:
	leaq	64(,%rcx,4), %rax
	vpxor	%xmm0, %xmm0, %xmm0
	movq	%r12, %r13
	xorl	%ebp, %ebp
	vpxor	%xmm4, %xmm4, %xmm4
	vpxor	%xmm5, %xmm5, %xmm5
	vpxor	%xmm2, %xmm2, %xmm2
	vpxor	%xmm6, %xmm6, %xmm6
	vpxor	%xmm3, %xmm3, %xmm3
	vpxor	%xmm7, %xmm7, %xmm7
	vpxor	%xmm1, %xmm1, %xmm1
	.p2align	4
.LBB2_4:
	vpbroadcastd	(%r9,%rbp,4), %ymm8
	vmovdqu	-64(%r13), %ymm9
	vmovdqu	-32(%r13), %ymm10
	vmovdqu	(%r13), %ymm11
	vmovdqu	32(%r13), %ymm12
	vpmaddwd	%ymm10, %ymm8, %ymm13
	vpaddd	%ymm5, %ymm13, %ymm5
	vpmaddwd	%ymm9, %ymm8, %ymm13
	vpaddd	%ymm4, %ymm13, %ymm4
	vpmaddwd	%ymm12, %ymm8, %ymm13
	vpaddd	%ymm6, %ymm13, %ymm6
	vpmaddwd	%ymm11, %ymm8, %ymm8
	vpaddd	%ymm2, %ymm8, %ymm2
	vpbroadcastd	(%rdi,%rbp,4), %ymm8
	vpmaddwd	%ymm10, %ymm8, %ymm10
	vpaddd	%ymm7, %ymm10, %ymm7
	vpmaddwd	%ymm9, %ymm8, %ymm9
	vpaddd	%ymm3, %ymm9, %ymm3
	vpmaddwd	%ymm12, %ymm8, %ymm9
	vpaddd	%ymm0, %ymm9, %ymm0
	vpmaddwd	%ymm11, %ymm8, %ymm8
	vpaddd	%ymm1, %ymm8, %ymm1
	incq	%rbp
	addq	%rsi, %r13
	cmpq	%rbp, %r15
	jne	.LBB2_4
	movq	224(%rsp), %r13
	vmovdqu	%ymm4, (%r13,%rcx,4)
	vmovdqu	%ymm5, 32(%r13,%rcx,4)
	vmovdqu	%ymm6, 32(%r13,%rax)
	vmovdqu	%ymm2, (%r13,%rax)
	vmovdqu	%ymm7, 32(%rbx,%rcx,4)
	vmovdqu	%ymm3, (%rbx,%rcx,4)
	addq	$32, %rcx
	vmovdqu	%ymm0, 32(%rbx,%rax)
	subq	$-128, %r12
	vmovdqu	%ymm1, (%rbx,%rax)
	decq	%r10
	jg	.LBB2_3
.LBB2_6:
	testq	%rdx, %rdx
	je	.LBB2_21
	xorl	%eax, %eax
	testb	$15, %r11b
	setne	%al
	shrl	$4, %edx
	addq	%rdx, %rax
	je	.LBB2_21
	andq	$-32, %r11
	addq	%r9, %r8
	movq	224(%rsp), %rcx
	addq	%rcx, -48(%rsp)
	cmpq	$2, %r14
	movl	$1, %edx
	cmovgeq	%r14, %rdx
	leaq	(,%r11,4), %rcx
	movq	136(%rsp), %rdi
	leaq	(%rdi,%r11,4), %rdi
	vpxor	%xmm0, %xmm0, %xmm0
	xorl	%r10d, %r10d
	vpxor	%xmm2, %xmm2, %xmm2
	vpxor	%xmm3, %xmm3, %xmm3
	vpxor	%xmm1, %xmm1, %xmm1
	.p2align	4
.LBB2_9:
	vpbroadcastd	(%r9,%r10,4), %ymm4
	vmovdqu	(%rdi), %ymm5
	vmovdqu	32(%rdi), %ymm6
	vpmaddwd	%ymm6, %ymm4, %ymm7
	vpaddd	%ymm3, %ymm7, %ymm3
	vpmaddwd	%ymm5, %ymm4, %ymm4
	vpaddd	%ymm2, %ymm4, %ymm2
	vpbroadcastd	(%r8,%r10,4), %ymm4
	vpmaddwd	%ymm6, %ymm4, %ymm6
	vpaddd	%ymm0, %ymm6, %ymm0
	vpmaddwd	%ymm5, %ymm4, %ymm4
	vpaddd	%ymm1, %ymm4, %ymm1
	incq	%r10
	addq	%rsi, %rdi
	cmpq	%r10, %rdx
	jne	.LBB2_9
	movq	224(%rsp), %rdi
	vmovdqu	%ymm2, (%rdi,%rcx)
	vmovdqu	%ymm3, 32(%rdi,%rcx)
	movq	-48(%rsp), %rdi
	vmovdqu	%ymm0, 32(%rdi,%rcx)
	vmovdqu	%ymm1, (%rdi,%rcx)
	cmpq	$1, %rax
	je	.LBB2_21
	leaq	64(,%r11,4), %rax
	movq	136(%rsp), %rcx
	leaq	(%rcx,%r11,4), %rcx
	addq	$64, %rcx
	vpxor	%xmm0, %xmm0, %xmm0
	xorl	%edi, %edi
	vpxor	%xmm2, %xmm2, %xmm2
	vpxor	%xmm3, %xmm3, %xmm3
	vpxor	%xmm1, %xmm1, %xmm1
	.p2align	4
.LBB2_12:
	vpbroadcastd	(%r9,%rdi,4), %ymm4
	vmovdqu	(%rcx), %ymm5
	vmovdqu	32(%rcx), %ymm6
	vpmaddwd	%ymm6, %ymm4, %ymm7
	vpaddd	%ymm3, %ymm7, %ymm3
	vpmaddwd	%ymm5, %ymm4, %ymm4
	vpaddd	%ymm2, %ymm4, %ymm2
	vpbroadcastd	(%r8,%rdi,4), %ymm4
	vpmaddwd	%ymm6, %ymm4, %ymm6
	vpaddd	%ymm0, %ymm6, %ymm0
	vpmaddwd	%ymm5, %ymm4, %ymm4
	vpaddd	%ymm1, %ymm4, %ymm1
	incq	%rdi
	addq	%rsi, %rcx
	cmpq	%rdi, %rdx
	jne	.LBB2_12
	movq	224(%rsp), %rcx
	vmovdqu	%ymm2, (%rcx,%rax)
	vmovdqu	%ymm3, 32(%rcx,%rax)
	movq	-48(%rsp), %rcx
	vmovdqu	%ymm0, 32(%rcx,%rax)
	vmovdqu	%ymm1, (%rcx,%rax)
	jmp	.LBB2_21
.LBB2_14:
	cmpq	$16, %r11
	movl	$15, %eax
	cmovgeq	%r11, %rax
	shrq	$4, %rax
	movq	%rax, -24(%rsp)
	je	.LBB2_21
	addq	$3, %rdx
	shrq	$2, %rdx
	cmpq	$2, %r14
	movl	$1, %r11d
	cmovgeq	%r14, %r11
	leaq	(%r8,%r8,2), %r14
	addq	%r9, %r14
	leaq	(,%r8,4), %rax
	movq	%rax, -32(%rsp)
	leaq	(%r9,%r8,2), %r12
	addq	%r9, %r8
	xorl	%edi, %edi
	.p2align	4
.LBB2_16:
	movq	%rdx, -8(%rsp)
	movq	%rdi, %rbp
	orq	$1, %rbp
	movq	%rdi, %r13
	orq	$2, %r13
	movq	%rdi, %r10
	orq	$3, %r10
	movq	%rdi, -16(%rsp)
	movq	248(%rsp), %rax
	imulq	%rax, %rdi
	movq	224(%rsp), %rcx
	addq	%rcx, %rdi
	imulq	%rax, %rbp
	addq	%rcx, %rbp
	imulq	%rax, %r13
	addq	%rcx, %r13
	imulq	%rax, %r10
	addq	%rcx, %r10
	movq	136(%rsp), %rbx
	movq	-24(%rsp), %rax
	xorl	%r15d, %r15d
	.p2align	4
.LBB2_17:
	vpxor	%xmm0, %xmm0, %xmm0
	movq	%rbx, %rcx
	xorl	%edx, %edx
	vpxor	%xmm4, %xmm4, %xmm4
	vpxor	%xmm5, %xmm5, %xmm5
	vpxor	%xmm1, %xmm1, %xmm1
	vpxor	%xmm6, %xmm6, %xmm6
	vpxor	%xmm2, %xmm2, %xmm2
	vpxor	%xmm7, %xmm7, %xmm7
	vpxor	%xmm3, %xmm3, %xmm3
	.p2align	4
.LBB2_18:
	vpbroadcastd	(%r9,%rdx,4), %ymm8
	vmovdqu	(%rcx), %ymm9
	vmovdqu	32(%rcx), %ymm10
	vpmaddwd	%ymm10, %ymm8, %ymm11
	vpaddd	%ymm5, %ymm11, %ymm5
	vpmaddwd	%ymm9, %ymm8, %ymm8
	vpaddd	%ymm4, %ymm8, %ymm4
	vpbroadcastd	(%r8,%rdx,4), %ymm8
	vpmaddwd	%ymm10, %ymm8, %ymm11
	vpaddd	%ymm6, %ymm11, %ymm6
	vpmaddwd	%ymm9, %ymm8, %ymm8
	vpaddd	%ymm1, %ymm8, %ymm1
	vpbroadcastd	(%r12,%rdx,4), %ymm8
	vpmaddwd	%ymm10, %ymm8, %ymm11
	vpaddd	%ymm7, %ymm11, %ymm7
	vpmaddwd	%ymm9, %ymm8, %ymm8
	vpaddd	%ymm2, %ymm8, %ymm2
	vpbroadcastd	(%r14,%rdx,4), %ymm8
	vpmaddwd	%ymm10, %ymm8, %ymm10
	vpaddd	%ymm0, %ymm10, %ymm0
	vpmaddwd	%ymm9, %ymm8, %ymm8
	vpaddd	%ymm3, %ymm8, %ymm3
	incq	%rdx
	addq	%rsi, %rcx
	cmpq	%rdx, %r11
	jne	.LBB2_18
	vmovdqu	%ymm4, (%rdi,%r15,4)
	vmovdqu	%ymm5, 32(%rdi,%r15,4)
	vmovdqu	%ymm6, 32(%rbp,%r15,4)
	vmovdqu	%ymm1, (%rbp,%r15,4)
	vmovdqu	%ymm7, 32(%r13,%r15,4)
	vmovdqu	%ymm2, (%r13,%r15,4)
	vmovdqu	%ymm0, 32(%r10,%r15,4)
	vmovdqu	%ymm3, (%r10,%r15,4)
	addq	$16, %r15
	addq	$64, %rbx
	decq	%rax
	jg	.LBB2_17
	movq	-16(%rsp), %rdi
	addq	$4, %rdi
	movq	-32(%rsp), %rax
	addq	%rax, %r14
	addq	%rax, %r12
	addq	%rax, %r8
	addq	%rax, %r9
	movq	-8(%rsp), %rdx
	decq	%rdx
	jg	.LBB2_16
.LBB2_21:
	movq	-40(%rsp), %rax
	movq	$0, (%rax)
	xorl	%eax, %eax
	popq	%rbx
	.cfi_def_cfa_offset 48
	popq	%r12
	.cfi_def_cfa_offset 40
	popq	%r13
	.cfi_def_cfa_offset 32
	popq	%r14
	.cfi_def_cfa_offset 24
	popq	%r15
	.cfi_def_cfa_offset 16
	popq	%rbp
	.cfi_def_cfa_offset 8
	vzeroupper
	retq
.Lfunc_end2:
	.size	_ZN6vaezip5exact9product169product16B2v2B60c8tJTIeFIjxB2IKSgI4CrvQClUaPLCRhSLpAEkCNa6gEUooCi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE, .Lfunc_end2-_ZN6vaezip5exact9product169product16B2v2B60c8tJTIeFIjxB2IKSgI4CrvQClUaPLCRhSLpAEkCNa6gEUooCi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE
	.cfi_endproc

	.weak	NRT_incref
	.p2align	4
	.type	NRT_incref,@function
NRT_incref:
	testq	%rdi, %rdi
	je	.LBB3_2
	lock		incq	(%rdi)
.LBB3_2:
	retq
.Lfunc_end3:
	.size	NRT_incref, .Lfunc_end3-NRT_incref

	.weak	NRT_decref
	.p2align	4
	.type	NRT_decref,@function
NRT_decref:
	.cfi_startproc
	testq	%rdi, %rdi
	je	.LBB4_2
	#MEMBARRIER
	lock		decq	(%rdi)
	je	.LBB4_3
.LBB4_2:
	retq
.LBB4_3:
	#MEMBARRIER
	movabsq	$NRT_MemInfo_call_dtor, %rax
	jmpq	*%rax
.Lfunc_end4:
	.size	NRT_decref, .Lfunc_end4-NRT_decref
	.cfi_endproc

	.type	.const.prod,@object
	.section	.lrodata,"al",@progbits
.const.prod:
	.asciz	"prod"
	.size	.const.prod, 5

	.type	_ZN08NumbaEnv8__main__4prodB2v1B52c8tJTIeFIjxB2IKSgI4CrvQClUaPLJhwEUwBUooBi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE,@object
	.comm	_ZN08NumbaEnv8__main__4prodB2v1B52c8tJTIeFIjxB2IKSgI4CrvQClUaPLJhwEUwBUooBi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE,8,8
	.type	".const.missing Environment: _ZN08NumbaEnv8__main__4prodB2v1B52c8tJTIeFIjxB2IKSgI4CrvQClUaPLJhwEUwBUooBi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE",@object
	.p2align	4, 0x0
".const.missing Environment: _ZN08NumbaEnv8__main__4prodB2v1B52c8tJTIeFIjxB2IKSgI4CrvQClUaPLJhwEUwBUooBi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE":
	.asciz	"missing Environment: _ZN08NumbaEnv8__main__4prodB2v1B52c8tJTIeFIjxB2IKSgI4CrvQClUaPLJhwEUwBUooBi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE"
	.size	".const.missing Environment: _ZN08NumbaEnv8__main__4prodB2v1B52c8tJTIeFIjxB2IKSgI4CrvQClUaPLJhwEUwBUooBi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE", 203

	.type	".const.can't unbox array from PyObject into native value.  The object maybe of a different type",@object
	.p2align	4, 0x0
".const.can't unbox array from PyObject into native value.  The object maybe of a different type":
	.asciz	"can't unbox array from PyObject into native value.  The object maybe of a different type"
	.size	".const.can't unbox array from PyObject into native value.  The object maybe of a different type", 89

	.type	".const.Error creating Python tuple from runtime exception arguments",@object
	.p2align	4, 0x0
".const.Error creating Python tuple from runtime exception arguments":
	.asciz	"Error creating Python tuple from runtime exception arguments"
	.size	".const.Error creating Python tuple from runtime exception arguments", 61

	.type	".const.unknown error when calling native function",@object
	.p2align	4, 0x0
".const.unknown error when calling native function":
	.asciz	"unknown error when calling native function"
	.size	".const.unknown error when calling native function", 43

	.type	_ZN08NumbaEnv6vaezip5exact9product169product16B2v2B60c8tJTIeFIjxB2IKSgI4CrvQClUaPLCRhSLpAEkCNa6gEUooCi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE,@object
	.comm	_ZN08NumbaEnv6vaezip5exact9product169product16B2v2B60c8tJTIeFIjxB2IKSgI4CrvQClUaPLCRhSLpAEkCNa6gEUooCi2gCAA_3d_3dEx5ArrayIsLi2E1C7mutable7alignedE5ArrayIsLi3E1C7mutable7alignedE5ArrayIiLi2E1C7mutable7alignedE,8,8
	.section	".note.GNU-stack","",@progbits
